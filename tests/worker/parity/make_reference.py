#!/usr/bin/env python3
"""Runs a reference network of torchvision or timm and writes down what it computes.

Two forms, for parity_test.cc:
  --digest FILE   Weights from a formula that both sides know; of every result two numbers. Small
                  enough for the repository, so that the plain test run needs no Python packages.
                  In float64, so that they hold on any processor.
  --full FOLDER   Weights as the package initialises them (weights.safetensors) and every result in
                  full (expected.safetensors).

In both: the classifier has ten classes and no dropout, the input comes from the formula, and the
loss of the training step is the mean cross-entropy with the labels 0, 1, 2.
"""

import argparse
import json
import pathlib
import warnings

import numpy
import torch
from torch import nn

BATCH = 3
CLASSES = 10
MASK = (1 << 64) - 1


def seed_of(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def formula(name, shape):
    """Numbers in [-1, 1): SplitMix64 of the name's hash plus the index."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    with numpy.errstate(over="ignore"):
        x = numpy.uint64(seed_of(name)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(
            0x9E3779B97F4A7C15
        )
        x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        x = x ^ (x >> numpy.uint64(31))
    unit = (x >> numpy.uint64(40)).astype(numpy.float32) / numpy.float32(1 << 24)
    return torch.from_numpy((unit * 2 - 1).reshape(shape))


def fill_by_formula(name, tensor):
    """Sizes that keep activations of deep networks near one."""
    values = formula(name, tuple(tensor.shape))
    if tensor.dim() >= 2:
        fan_in = tensor[0].numel()
        values = values * numpy.float32((6.0 / fan_in) ** 0.5)
    elif name.endswith("running_var") or name.endswith("weight"):
        values = 1 + values * numpy.float32(0.25)
    else:
        values = values * numpy.float32(0.1)
    tensor.data.copy_(values)


def build(architecture, size):
    import timm
    import torchvision

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    if architecture == "resnet50":
        return torchvision.models.resnet50(num_classes=CLASSES)
    if architecture == "inception_v3":
        return torchvision.models.inception_v3(
            num_classes=CLASSES, aux_logits=False, init_weights=True, dropout=0.0
        )
    if architecture == "inception_resnet_v2":
        return timm.create_model("inception_resnet_v2", num_classes=CLASSES)
    network = torchvision.models.vgg16(num_classes=CLASSES, dropout=0.0)
    if size != 224:  # the classifier's 7 x 7 pooling would stretch smaller maps: average instead
        network.avgpool = nn.AdaptiveAvgPool2d(1)
        network.classifier = nn.Sequential(nn.Linear(512, CLASSES))
        nn.init.normal_(network.classifier[0].weight, 0, 0.01)
    return network


CLASSIFIERS = {
    "fc.": "head.output.",
    "classif.": "head.output.",
    "classifier.6.": "head.output.",
    "classifier.0.": "head.dense.0.",
    "classifier.3.": "head.dense.1.",
}


def our_name(name, network):
    names = dict(CLASSIFIERS)
    if isinstance(getattr(network, "classifier", None), nn.Sequential) and len(network.classifier) == 1:
        names = {"classifier.0.": "head.output."}
    for theirs, ours in names.items():
        if name.startswith(theirs):
            return ours + name[len(theirs) :]
    return name


def compute(network, size):
    """Results by name: logits in both modes, gradients, and buffers after the training step."""
    dtype = next(network.parameters()).dtype
    images = formula("input", (BATCH, 3, size, size)).to(dtype)
    labels = torch.arange(BATCH) % CLASSES
    network.eval()
    with torch.no_grad():
        results = {"logits.eval": network(images)}
    network.train()
    logits = network(images)
    nn.functional.cross_entropy(logits, labels).backward()
    results["logits.train"] = logits.detach()
    for name, parameter in network.named_parameters():
        results["gradient." + our_name(name, network)] = parameter.grad
    for name, buffer in network.named_buffers():
        if not name.endswith("num_batches_tracked"):
            results["buffer." + name] = buffer
    return results


def digest(name, tensor):
    """Length, and product with the formula's numbers, which have a variance of one third."""
    values = tensor.double().flatten()
    product = values @ formula("digest." + name, (values.numel(),)).double() * 3**0.5
    return [float(f"{values.norm().item():.8g}"), float(f"{product.item():.8g}")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--size", type=int, required=True)
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--digest", type=pathlib.Path)
    form.add_argument("--full", type=pathlib.Path)
    arguments = parser.parse_args()

    torch.set_num_threads(2)
    network = build(arguments.architecture, arguments.size)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    if arguments.digest:
        for name, tensor in network.state_dict(keep_vars=True).items():
            if not name.endswith("num_batches_tracked"):
                fill_by_formula(our_name(name, network), tensor)
        network.double()
        results = compute(network, arguments.size)
        lines = [f"{json.dumps(name)}: {json.dumps(digest(name, t))}" for name, t in results.items()]
        lines.insert(0, f'"parameters": {parameters}')
        arguments.digest.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    else:
        from safetensors.torch import save_file

        weights = {our_name(n, network): t.clone() for n, t in network.state_dict().items()}
        save_file(weights, arguments.full / "weights.safetensors")
        results = compute(network, arguments.size)
        save_file(
            {name: tensor.contiguous() for name, tensor in results.items()},
            arguments.full / "expected.safetensors",
            {"parameters": str(parameters)},
        )


if __name__ == "__main__":
    main()
