#!/bin/sh
# Stands for any program: takes its parameters as --name=value, prints a line for each epoch.
for option in "$@"; do
  case $option in
    --learning_rate=*) learning_rate=${option#*=} ;;
    --width=*) width=${option#*=} ;;
  esac
done
epoch=0
while :; do
  epoch=$((epoch + 1))
  echo "epoch=$epoch $(awk -v e=$epoch -v r="$learning_rate" -v w="$width" \
    'BEGIN { printf "val_loss=%.6f train_loss=%.6f", 1 / (1 + e * r) + 1 / w, 1 / (1 + e * r) }')"
done
