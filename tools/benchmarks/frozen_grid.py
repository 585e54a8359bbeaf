#!/usr/bin/env python3
"""Compares a grid of heads on a frozen ResNet-50 with a PyTorch loop, and with Ray Tune.

    tools/benchmarks/frozen_grid.py build/release/bin/ranksweep [--json grid.json] [--weights resnet50.safetensors]

32 trials: 16 learning rates x 2 head sizes, batch 10, 700 + 100 images of 150 x 150, made by
`ranksweep make-faces`. Without --weights a random ResNet-50 with a fixed seed stands in, the same
file on both sides: what it costs does not depend on its values.

ranksweep runs the whole grid, with an empty cache each time, on one rank and on two. The PyTorch
loop is what people write: a process a trial, ImageFolder, the base in each epoch without gradients.
It is measured with one trial of two epochs, start and epochs apart, and extrapolated to the grid.
So is Ray Tune: the trials that run at once, one a core, two epochs each. All use the same cores.
Rounds alternate, so that whatever else the machine does meets all; figures are medians.

Needs .venv-tests (tools/setup.sh --parity) and runs itself with it; Ray Tune is measured where
--tuners names a Python that has it.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-tests/bin/python"
LEARNING_RATES = [round(10 ** (-2 - i / 5), 8) for i in range(16)]
WIDTHS = [256, 512]
TRIALS = len(LEARNING_RATES) * len(WIDTHS)
BATCH, SIZE = 10, 150
MEASURED_EPOCHS = 2

SWEEP = """
name: frozen-grid
data: {{path: {data}, image_size: {size}}}
grid:
  learning_rate: {rates}
  head: [{{dense: [256]}}, {{dense: [512]}}]
training:
  architecture: resnet50
  weights: {weights}
  training: frozen
  augmentation: {augmentation}
  epochs: {epochs}
  batch_size: {batch}
  early_stopping: false
"""


def make_data(ranksweep, folder, persons=100, size=SIZE, train=350, val=50):
    """`train` + `val` images of each class."""
    faces = folder / "faces"
    subprocess.run([ranksweep, "make-faces", faces, "--persons", str(persons), "--size", str(size)], check=True,
                   stdout=subprocess.DEVNULL)
    data = folder / "data"
    for label in ("smile", "neutral"):
        images = sorted(faces.glob(f"*/{label}/*.jpg"))[:train + val]
        assert len(images) == train + val
        for index, image in enumerate(images):
            target = data / ("train" if index < train else "val") / label / image.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, target)
    return data


def make_weights(folder):
    import torch
    import torchvision
    from safetensors.torch import save_file

    torch.manual_seed(0)
    save_file(torchvision.models.resnet50().state_dict(), folder / "torchvision.safetensors")
    weights = folder / "resnet50.safetensors"
    subprocess.run([PYTHON, ROOT / "tools/convert_weights.py", folder / "torchvision.safetensors", "--architecture",
                    "resnet50", "-o", weights], check=True, stdout=subprocess.DEVNULL)
    return weights


def run_ranksweep(ranksweep, folder, data, weights, ranks, augmentation, epochs):
    """Seconds of the whole grid, from the command to the prompt, and what it says of its passes."""
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (place / "sweep.yaml").write_text(SWEEP.format(
        data=data, size=SIZE, rates=LEARNING_RATES, weights=weights, augmentation=augmentation, epochs=epochs,
        batch=BATCH))
    launcher = [] if ranks == 1 else ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks)]
    begin = time.perf_counter()
    done = subprocess.run([*launcher, ranksweep, "run", place / "sweep.yaml", "--db", place / "results.db"],
                          env=os.environ | {"RANKSWEEP_CACHE": str(place / "cache")}, text=True, capture_output=True)
    seconds = time.perf_counter() - begin
    if done.returncode != 0 or f"{TRIALS} finished" not in done.stdout:
        sys.exit(done.stdout + done.stderr)
    passes = next(line for line in done.stdout.splitlines() if line.startswith("frozen bases"))
    shutil.rmtree(place)
    return seconds, passes


def make_loaders(data, augmentation, normalized):
    """Of the training and the validation images, as people write them."""
    import torch
    import torchvision
    from torchvision import transforms

    plain = [transforms.ToTensor()]
    if normalized:
        plain.append(transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    changes = []
    if augmentation == "standard":
        changes = [transforms.RandomAffine(15, translate=(0.1, 0.1), scale=(0.9, 1.1)),
                   transforms.RandomHorizontalFlip()]
    folder = torchvision.datasets.ImageFolder
    train = torch.utils.data.DataLoader(
        folder(f"{data}/train", transforms.Compose(changes + plain)), batch_size=BATCH, shuffle=True)
    val = torch.utils.data.DataLoader(folder(f"{data}/val", transforms.Compose(plain)), batch_size=BATCH)
    return train, val


def train_in_pytorch(data, weights, augmentation, epochs, learning_rate, width, report=lambda loss: None):
    """One trial as people write it. Returns its validation loss."""
    import torch
    import torchvision
    from safetensors.torch import load_file
    from torch import nn

    train, val = make_loaders(data, augmentation, normalized=True)
    base = torchvision.models.resnet50()
    base.fc = nn.Identity()
    base.load_state_dict(load_file(weights), strict=False)
    base.eval().requires_grad_(False)
    head = nn.Sequential(nn.Linear(2048, width), nn.ReLU(), nn.Dropout(0.5), nn.Linear(width, 1))
    optimizer = torch.optim.RMSprop(head.parameters(), lr=learning_rate)
    loss_of = nn.BCEWithLogitsLoss()
    mean_loss = None
    for _ in range(epochs):
        head.train()
        for images, labels in train:
            with torch.no_grad():
                features = base(images)
            loss = loss_of(head(features).squeeze(1), labels.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        head.eval()
        with torch.no_grad():
            losses = [loss_of(head(base(images)).squeeze(1), labels.float()) * len(labels) for images, labels in val]
        mean_loss = (sum(losses) / len(val.dataset)).item()
        report(mean_loss)
    return mean_loss


def pytorch_child(options):
    """A process of the loop: prints when each epoch was done."""
    ends = []
    train_in_pytorch(options.data, options.weights, options.augmentation, MEASURED_EPOCHS, 1e-3, 256,
                     lambda _: ends.append(time.time()))
    print(json.dumps({"ends": [ends]}))


def ray_child(options):
    import ray
    from ray import tune

    ray.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False, logging_level="error")

    def trainable(config):
        train_in_pytorch(options.data, options.weights, options.augmentation, MEASURED_EPOCHS,
                         config["learning_rate"], config["width"],
                         lambda loss: tune.report({"val_loss": loss, "ended": time.time()}))

    begin = time.time()
    results = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={"learning_rate": tune.grid_search(LEARNING_RATES[: os.cpu_count()]), "width": 256},
        run_config=tune.RunConfig(storage_path=options.place, verbose=0)).fit()
    frames = [result.metrics_dataframe["ended"].tolist() for result in results]
    print(json.dumps({"begin": begin, "ends": frames}))


def measure_child(kind, python, folder, data, weights, augmentation, epochs):
    """Seconds of the whole grid, extrapolated: what a trial takes until its first epoch, and its epochs."""
    place = tempfile.mkdtemp(dir=folder)
    began = time.time()
    done = subprocess.run([python, __file__, "ranksweep", "--child", kind, "--data", data, "--weights", weights,
                           "--augmentation", augmentation, "--place", place], check=True, text=True,
                          stdout=subprocess.PIPE)
    shutil.rmtree(place)
    answer = json.loads(done.stdout.splitlines()[-1])
    began = answer.get("begin", began)
    trials = answer["ends"]
    epoch = statistics.mean(ends[-1] - ends[0] for ends in trials) / (MEASURED_EPOCHS - 1)
    start = statistics.mean(ends[0] for ends in trials) - began - epoch
    return TRIALS / len(trials) * (max(start, 0) + epochs * epoch)


def compare(options, folder, data, weights, augmentation, epochs):
    seconds, passes = {}, {}
    for _ in range(options.rounds):
        contenders = {"PyTorch loop": lambda: measure_child(
            "pytorch", PYTHON, folder, data, weights, augmentation, epochs)}
        if options.tuners:
            contenders["Ray Tune"] = lambda: measure_child(
                "ray", options.tuners, folder, data, weights, augmentation, epochs)
        for name, measure in contenders.items():
            seconds.setdefault(name, []).append(measure())
        for ranks in (1, 2):
            name = f"ranksweep, {ranks} rank{'s' if ranks > 1 else ''}"
            took, passes[name] = run_ranksweep(options.ranksweep, folder, data, weights, ranks, augmentation, epochs)
            seconds.setdefault(name, []).append(took)
        print({name: round(times[-1], 1) for name, times in seconds.items()}, file=sys.stderr)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"\naugmentation {augmentation}, {epochs} epochs, {TRIALS} trials: seconds of the grid, "
          f"median of {options.rounds}")
    for name, median in medians.items():
        kind = passes.get(name, "extrapolated from two epochs")
        print(f"  {name:18} {median:9.1f}  {min(seconds[name]):9.1f} to {max(seconds[name]):9.1f}  ({kind})")
    ratios = {f"{rival} / {name}": medians[rival] / medians[name]
              for rival in contenders for name in medians if name.startswith("ranksweep")}
    for name, ratio in ratios.items():
        print(f"  {name:40} {ratio:6.1f}")
    return {"augmentation": augmentation, "epochs": epochs, "seconds": seconds, "ratios": ratios, "passes": passes}


def describe_machine():
    import torch

    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg(),
            "torch": torch.__version__, "python": platform.python_version()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranksweep")
    parser.add_argument("--json", type=pathlib.Path, default="frozen_grid.json", help="where the figures go")
    parser.add_argument("--weights", help="a ResNet-50 as tools/convert_weights.py makes it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30, help="of the grid without augmentation; 0 leaves it out")
    parser.add_argument("--augmented-epochs", type=int, default=30, help="of the grid with standard augmentation")
    parser.add_argument("--tuners", help="a Python with ray[tune] and all that .venv-tests has")
    for hidden in ("--child", "--data", "--augmentation", "--place"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        {"pytorch": pytorch_child, "ray": ray_child}[options.child](options)
        return
    with tempfile.TemporaryDirectory(prefix="frozen-grid-") as name:
        folder = pathlib.Path(name)
        machine = describe_machine()
        print(machine)
        data = make_data(options.ranksweep, folder)
        weights = options.weights or make_weights(folder)
        grids = []
        for augmentation, epochs in (("none", options.epochs), ("standard", options.augmented_epochs)):
            if epochs > 0:
                grids.append(compare(options, folder, data, weights, augmentation, epochs))
                options.json.write_text(json.dumps({"machine": machine, "grids": grids}, indent=2) + "\n")


if __name__ == "__main__":
    if pathlib.Path(sys.prefix) != PYTHON.parents[1] and "--child" not in sys.argv:
        os.execv(PYTHON, [PYTHON, *sys.argv])
    main()
