#!/usr/bin/env python3
"""Computes the validation loss of a simple_cnn's checkpoint with PyTorch alone.

    validate_checkpoint.py CHECKPOINT.safetensors VALIDATION.safetensors

VALIDATION holds `images` [N, H, W, 3], 0..255, and `labels` [N]. Prints the loss.
"""

import json
import sys
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file
from torch import nn


def simple_cnn(hidden):
    layers, before = [], 3
    for index, width in enumerate([32, 64, 128, 128]):
        layers += [
            nn.Conv2d(before, width, 3, 2 if index == 0 else 1, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        before = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, hidden), nn.ReLU(), nn.Linear(hidden, 1)]
    return nn.Sequential(*layers, *head)


def main():
    checkpoint, validation = sys.argv[1:]
    with safetensors.safe_open(checkpoint, "pt") as file:
        metadata = file.metadata()
    assert metadata["architecture"] == "simple_cnn"
    assert metadata["normalization"] == "scale_0_1"
    hidden = json.loads(metadata["spec"]).get("head", {}).get("dense", [256])[0]
    tensors = load_file(checkpoint)
    if "base" in metadata:  # of a frozen trial: the checkpoint holds the head alone
        tensors |= load_file(Path(checkpoint).parent / metadata["base"])
    places = {"head.dense.0.": "18.", "head.output.": "20."}
    for block in range(4):
        places[f"block{block + 1}.conv."] = f"{4 * block}."
        places[f"block{block + 1}.bn."] = f"{4 * block + 1}."
    for ours, theirs in places.items():
        for name in [name for name in tensors if name.startswith(ours)]:
            tensors[theirs + name[len(ours) :]] = tensors.pop(name)
    network = simple_cnn(hidden)
    network.load_state_dict(tensors)

    data = load_file(validation)
    with torch.no_grad():
        logits = network.eval()(data["images"].permute(0, 3, 1, 2) / 255).squeeze(1)
    loss = nn.functional.binary_cross_entropy_with_logits(logits.double(), data["labels"].double())
    print(repr(loss.item()))


if __name__ == "__main__":
    main()
