#!/usr/bin/env python3
"""Compares predicting from JPEG files with the pace of the network alone, in the same run.

    tools/benchmarks/prediction.py build/release/bin [--architectures simple_cnn vgg16] [--device cuda]

Trains each architecture for one short epoch on drawn faces, then classifies 640 files of 250 x 250 in
batches: from the files, decoded while the network works, and the network alone on a batch that lies
ready. Rounds alternate; the least of each counts. Exit status 1 when predicting is slower than 0.9
times the network, by the time on the wall (by processor time with --processor, for a machine that is
busy with other work).
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

FILES = 640
TARGET = 0.9
SWEEP = """
name: prediction
data: {{path: {faces}, image_size: 150}}
training: {{architecture: {architecture}, epochs: 1, batch_size: 8, early_stopping: false}}
"""
# As `ranksweep predict` starts its trainer: tools/cli/trainer_program.cc.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "passive",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776"
}


def train(programs, faces, architecture, folder):
    sweep = folder / f"{architecture}.yaml"
    sweep.write_text(SWEEP.format(faces=faces, architecture=architecture))
    database = folder / f"{architecture}.db"
    subprocess.run([programs / "ranksweep", "run", sweep, "--db", database], check=True, capture_output=True)
    return next(database.with_suffix(".checkpoints").glob("*/best-*.safetensors"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path, help="the folder of the built programs")
    parser.add_argument("--architectures", nargs="+", default=["resnet50", "inception_v3"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--processor", action="store_true", help="judge by processor time")
    options = parser.parse_args()

    slow = 0
    print("| architecture | predict, images/s | network alone, images/s | ratio | ratio of processor time |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        faces = folder / "faces"
        subprocess.run([options.programs / "ranksweep", "make-faces", faces, "--persons", "8", "--pairs", "2",
                        "--size", "250"], check=True, capture_output=True)
        images = sorted(faces.rglob("*.jpg"))
        listed = folder / "list"
        listed.write_text("".join(f"{images[i % len(images)]}\n" for i in range(FILES)))
        for architecture in options.architectures:
            checkpoint = train(options.programs, faces, architecture, folder)
            done = subprocess.run([options.programs / "prediction", checkpoint, options.device, str(options.batch),
                                   listed], check=True, text=True, capture_output=True, env=ENVIRONMENT | os.environ)
            rounds = [map(float, line.split()) for line in done.stdout.splitlines()]
            wall, processor, network_wall, network_processor = map(min, zip(*rounds))
            ratios = network_wall / wall, network_processor / processor
            slow += ratios[1 if options.processor else 0] < TARGET
            print(f"| {architecture} | {FILES / wall:.0f} | {FILES / network_wall:.0f} | {ratios[0]:.2f} | "
                  f"{ratios[1]:.2f} |", flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
