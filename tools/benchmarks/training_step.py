#!/usr/bin/env python3
"""Compares full training steps of ranksweep's trainer with PyTorch's eager mode.

    tools/benchmarks/training_step.py build/release/bin/ranksweep-trainer [--rounds 3] ...

Needs the Python packages in .venv-tests and runs itself with them. Both sides take the same batch
size, image size, threads and optimizer (RMSprop); rounds of the two alternate, so that whatever
else the machine does meets both. Each figure is the fastest step of all rounds, the one that was
disturbed least. PyTorch runs in its default memory layout.

Each network has two rows: time on the wall, and processor time of all threads. The second is the
steadier one on a machine that is busy with other work, but it does not see threads that wait.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-tests/bin/python"
ARCHITECTURES = ["simple_cnn", "vgg16_simple", "vgg16", "inception_v3", "resnet50", "inception_resnet_v2"]
HEAD_WIDTH = 256
# As `ranksweep run` starts its trainers: tools/cli/trainer_program.cc.
TRAINER_ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776"
}


def plain_network(channels, batch_norm, first_stride):
    """The two designs of ours, as PyTorch writes them."""
    from torch import nn

    layers, before = [], 3
    for index, width in enumerate(channels):
        stride = first_stride if index == 0 else 1
        layers.append(nn.Conv2d(before, width, 3, stride, 1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), before


def reference(name):
    """The network with a head like ours."""
    from torch import nn

    if name == "inception_resnet_v2":
        import timm
    else:
        from torchvision import models
    if name == "simple_cnn":
        base, width = plain_network([32, 64, 128, 128], True, 2)
    elif name == "vgg16_simple":
        base, width = plain_network([32, 64, 128, 256, 512], False, 1)
    elif name == "vgg16":
        base, width = nn.Sequential(models.vgg16().features, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 512
    elif name == "inception_v3":
        base, width = models.inception_v3(aux_logits=False, init_weights=False), 2048
        base.fc = nn.Identity()
    elif name == "resnet50":
        base, width = models.resnet50(), 2048
        base.fc = nn.Identity()
    else:
        base, width = timm.create_model("inception_resnet_v2", num_classes=0), 1536
    head = nn.Sequential(nn.Linear(width, HEAD_WIDTH), nn.ReLU(), nn.Dropout(0.5), nn.Linear(HEAD_WIDTH, 1))
    return nn.Sequential(base, head)


class Pytorch:
    def __init__(self, name, options):
        import torch

        torch.set_num_threads(options.threads)
        self.network = reference(name).train()
        self.optimizer = torch.optim.RMSprop(self.network.parameters(), lr=1e-3)
        shape = (options.batch, 3, options.size, options.size)
        self.images = torch.randint(0, 256, shape, dtype=torch.uint8)
        self.labels = (torch.arange(options.batch) % 2).float()

    def step(self):
        import torch

        wall, processor = time.perf_counter(), time.process_time()
        logits = self.network(self.images.float() / 255).squeeze(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        loss.item()
        return time.perf_counter() - wall, time.process_time() - processor


def ours(name, memory_format, precision, options):
    trial = {"architecture": name, "training": "full", "memory_format": memory_format, "precision": precision,
             "batch_size": options.batch, "image_size": [options.size, options.size]}
    command = [options.trainer, "steps", "--threads", str(options.threads), "--steps", str(options.steps),
               json.dumps(trial)]
    environment = TRAINER_ENVIRONMENT | os.environ
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(output.splitlines()[-1])[0] or [(math.nan, math.nan)]  # no such precision here


def measure(name, options):
    """Steps of PyTorch, and of ours in both layouts and in bfloat16; the least wall and processor time of each."""
    variants = [("contiguous", "float32"), ("channels_last", "float32"), ("channels_last", "bfloat16")]
    steps = [[] for _ in range(1 + len(variants))]
    eager = Pytorch(name, options)
    eager.step()
    for _ in range(options.rounds):
        steps[0] += [eager.step() for _ in range(options.steps + 1)]
        for index, variant in enumerate(variants, 1):
            steps[index] += ours(name, *variant, options)
    return [[min(column) for column in zip(*each)] for each in steps]


def main():
    if sys.prefix != str(PYTHON.parent.parent):
        os.environ["OMP_WAIT_POLICY"] = "passive"  # read when Torch is loaded
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("trainer", type=pathlib.Path)
    parser.add_argument("--architectures", nargs="+", default=ARCHITECTURES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()

    print(f"batch {options.batch}, {options.size} x {options.size}, {options.threads} threads\n")
    print("| architecture | time | PyTorch, s | contiguous, s | ratio | channels last, s | ratio | bfloat16, s | ratio |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in options.architectures:
        for clock, (eager, *variants) in zip(("wall", "processor"), zip(*measure(name, options))):
            cells = [f"{seconds:.3f} | {seconds / eager:.2f}" for seconds in variants]
            print(f"| {name} | {clock} | {eager:.3f} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
