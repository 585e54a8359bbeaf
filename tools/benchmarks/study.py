#!/usr/bin/env python3
"""The whole study as one sweep, beside a plain PyTorch script and Ray Tune.

    tools/benchmarks/study.py build/release/bin/ranksweep [--tuners PYTHON] [--json study.json]

60 trials: five architectures x 3 learning rates x frozen and full x augmentation off and standard, at a reduced
size: 2 epochs, 120 + 40 images (--images) of 96 x 96 made by `ranksweep make-faces`, batch 10, no pretrained weights. ranksweep
runs them on two ranks. The script is what people write: a process a trial, one after the other, on all cores. Ray
Tune runs the same function, a trial a core. Nothing is extrapolated.

Of ranksweep's run it says too how near it came to the shortest that its trials allow, which is the longest of them or,
if that is more, all their time divided by the ranks; and what the ranks' time went to when they trained nothing.

Prints seconds on the wall, and core-seconds: the time that the machine's cores were not idle, whoever used them, so
it wants a machine with nothing else on it. And, since all of them train the same, what came out: the median over an
architecture's trials of the lowest validation loss.

Needs .venv-tests (tools/setup.sh --parity) and runs itself with it; Ray Tune is measured where --tuners names a
Python that has it, and torchvision and timm.
"""

import argparse
import itertools
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from frozen_grid import BATCH, PYTHON, describe_machine, make_data, make_loaders

ARCHITECTURES = ["simple_cnn", "vgg16_simple", "inception_v3", "resnet50", "inception_resnet_v2"]
LEARNING_RATES = [1e-3, 3e-4, 1e-4]
TRAININGS = ["frozen", "full"]
AUGMENTATIONS = ["none", "standard"]
TRIALS = list(itertools.product(ARCHITECTURES, LEARNING_RATES, TRAININGS, AUGMENTATIONS))
EPOCHS, SIZE = 2, 96
RANKS = 2

SWEEP = f"""
name: study
data: {{path: DATA, image_size: {SIZE}}}
grid:
  architecture: {ARCHITECTURES}
  learning_rate: {LEARNING_RATES}
  training: {TRAININGS}
  augmentation: {AUGMENTATIONS}
training: {{epochs: {EPOCHS}, batch_size: {BATCH}, early_stopping: false}}
"""


def make_network(architecture):
    """The base, and how many features it has."""
    import timm
    import torchvision
    from torch import nn

    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if architecture == "simple_cnn":
        layers, channels = [], [3, 32, 64, 128, 128]
        for i in range(4):
            layers += [nn.Conv2d(channels[i], channels[i + 1], 3, 2 if i == 0 else 1, 1, bias=False),
                       nn.BatchNorm2d(channels[i + 1]), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*layers, *pooled), 128
    if architecture == "vgg16_simple":
        layers, channels = [], [3, 32, 64, 128, 256, 512]
        for i in range(5):
            layers += [nn.Conv2d(channels[i], channels[i + 1], 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*layers, *pooled), 512
    if architecture == "inception_resnet_v2":
        return timm.create_model("inception_resnet_v2", num_classes=0), 1536
    if architecture == "inception_v3":
        network = torchvision.models.inception_v3(aux_logits=False, init_weights=False)
    else:
        network = torchvision.models.resnet50()
    network.fc = nn.Identity()
    return network, 2048


def train_in_pytorch(data, architecture, learning_rate, training, augmentation):
    """One trial as people write it. Returns its lowest validation loss."""
    import torch
    from torch import nn

    train, val = make_loaders(data, augmentation, normalized=False)
    base, features = make_network(architecture)
    frozen = training == "frozen"
    base.requires_grad_(not frozen)
    head = nn.Sequential(nn.Linear(features, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 1))
    network = nn.Sequential(base, head)
    optimizer = torch.optim.RMSprop(head.parameters() if frozen else network.parameters(), lr=learning_rate)
    loss_of = nn.BCEWithLogitsLoss()
    lowest = float("inf")
    for _ in range(EPOCHS):
        network.train()
        if frozen:
            base.eval()
        for images, labels in train:
            loss = loss_of(network(images).squeeze(1), labels.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            losses = [loss_of(network(images).squeeze(1), labels.float()) * len(labels) for images, labels in val]
        lowest = min(lowest, (sum(losses) / len(val.dataset)).item())
    return lowest


def run_ranksweep(ranksweep, data, place):
    sweep, database = place / "study.yaml", place / "study.db"
    sweep.write_text(SWEEP.replace("DATA", str(data)))
    subprocess.run(["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(RANKS), ranksweep, "run", sweep, "--db",
                    database], check=True, stdout=subprocess.DEVNULL,
                   env=os.environ | {"RANKSWEEP_CACHE": str(place / "cache")})
    connection = sqlite3.connect(database)
    rows = connection.execute(
        "SELECT parameter.value, val_loss FROM ranking "
        "JOIN parameter ON parameter.trial = ranking.trial_id AND parameter.name = 'architecture'").fetchall()
    assert len(rows) == len(TRIALS)
    [(makespan, longest, total)] = connection.execute(
        "SELECT max(ended) - min(begun), max(ended - begun), sum(ended - begun) FROM (SELECT "
        "julianday(begun_at) * 86400 AS begun, julianday(ended_at) * 86400 AS ended FROM attempt)")
    idle = connection.execute("SELECT reason, total(seconds) FROM device_idle GROUP BY reason").fetchall()
    return rows, {"makespan": makespan, "bound": max(longest, total / RANKS), "idle": dict(idle)}


def run_script(_, data, __):
    rows = []
    for trial in TRIALS:
        done = subprocess.run([PYTHON, __file__, "ranksweep", "--child", "pytorch", "--data", data, "--trial",
                               json.dumps(trial)], check=True, text=True, stdout=subprocess.PIPE)
        rows.append((trial[0], json.loads(done.stdout)))
    return rows, {}


def run_ray(tuners, data, place):
    done = subprocess.run([tuners, __file__, "ranksweep", "--child", "ray", "--data", data, "--place", place],
                          check=True, text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1]), {}


def ray_child(options):
    import ray
    from ray import tune

    ray.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False, logging_level="error")

    def trainable(config):
        tune.report({"val_loss": train_in_pytorch(options.data, *config["trial"])})

    results = tune.Tuner(tune.with_resources(trainable, {"cpu": 1}),
                         param_space={"trial": tune.grid_search(TRIALS)},
                         run_config=tune.RunConfig(storage_path=options.place, verbose=0)).fit()
    print(json.dumps([(result.config["trial"][0], result.metrics["val_loss"]) for result in results]))


def busy_seconds():
    """Of all cores since the machine started: user, nice and system time."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(map(int, fields[1:4])) / os.sysconf("SC_CLK_TCK")


def measure(run, program, data):
    with tempfile.TemporaryDirectory(prefix="study-") as place:
        begin, busy = time.perf_counter(), busy_seconds()
        rows, extra = run(program, data, pathlib.Path(place))
        seconds, busy = time.perf_counter() - begin, busy_seconds() - busy
    # A trial that went beyond all numbers has no loss.
    losses = {name: [loss for each, loss in rows if each == name and loss is not None and loss == loss]
              for name in ARCHITECTURES}
    return {"seconds": seconds, "core_seconds": busy,
            "losses": {name: statistics.median(of_name) for name, of_name in losses.items()}} | extra


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranksweep")
    parser.add_argument("--json", type=pathlib.Path, default="study.json", help="where the figures go")
    parser.add_argument("--images", type=int, default=120, help="to train on; a third as many to validate on")
    parser.add_argument("--tuners", help="a Python with ray[tune], torchvision and timm")
    for hidden in ("--child", "--data", "--trial", "--place"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child == "pytorch":
        print(json.dumps(train_in_pytorch(options.data, *json.loads(options.trial))))
        return
    if options.child == "ray":
        ray_child(options)
        return
    contenders = {"ranksweep, 2 ranks": (run_ranksweep, options.ranksweep), "PyTorch script": (run_script, None)}
    if options.tuners:
        contenders["Ray Tune"] = (run_ray, options.tuners)
    with tempfile.TemporaryDirectory(prefix="study-data-") as name:
        data = make_data(options.ranksweep, pathlib.Path(name), persons=25, size=SIZE, train=options.images // 2,
                         val=options.images // 6)  # of each class
        found = {}
        for contender, (run, program) in contenders.items():
            found[contender] = measure(run, program, data)
            print(contender, found[contender], file=sys.stderr)
    machine = describe_machine()
    options.json.write_text(json.dumps({"machine": machine, "found": found}, indent=2) + "\n")
    ours = found["ranksweep, 2 ranks"]
    print("| | wall, s | ratio | core-seconds | ratio |", *(f" {name} |" for name in ARCHITECTURES), sep="")
    print("|---|" + "---:|" * (4 + len(ARCHITECTURES)))
    for contender, figures in found.items():
        print(f"| {contender} | {figures['seconds']:.0f} | {figures['seconds'] / ours['seconds']:.1f} | "
              f"{figures['core_seconds']:.0f} | {figures['core_seconds'] / ours['core_seconds']:.1f} |",
              *(f" {loss:.3f} |" for loss in figures["losses"].values()), sep="")
    print(f"\n{RANKS} ranks, {ours['makespan']:.1f} s from the first trial's begin to the last one's end, "
          f"{ours['makespan'] / ours['bound']:.3f} of the shortest; no training for")
    for reason, seconds in sorted(ours["idle"].items(), key=lambda each: -each[1]):
        print(f"- {reason}: {seconds:.1f} s, {seconds / (RANKS * ours['makespan']):.1%}")
    print(f"\n{options.images} + {options.images // 3} images; torch {machine['torch']}, Python {machine['python']}")


if __name__ == "__main__":
    if pathlib.Path(sys.prefix) != PYTHON.parents[1] and "--child" not in sys.argv:
        os.execv(PYTHON, [PYTHON, *sys.argv])
    main()
