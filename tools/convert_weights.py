#!/usr/bin/env python3
"""Turns published weights into a file for `weights:` in a sweep.

    tools/convert_weights.py resnet50.safetensors --architecture resnet50 -o weights.safetensors

Takes
  .safetensors     torchvision's or timm's names (timm's own files are of this kind)
  .h5, .keras.h5   Keras applications in the HDF5 format with layer names: vgg16, inception_v3,
                   inception_resnet_v2. Keras' ResNet50 has its strides elsewhere and a bias in
                   every convolution, so its weights fit no resnet50 of torchvision's kind. Keras'
                   average pooling leaves padding out of the mean where torchvision's inception_v3
                   counts it, so that network's features differ a little along the borders.
  .pth, .pt, .bin  pickles of PyTorch, which can run any program when they are opened: only with
                   --allow-pickle, from a place that you trust

The classifier is left out: a sweep brings its own head. Needs the Python packages safetensors and
numpy; torch for pickles and safetensors, h5py for Keras.
"""

import argparse
import pathlib
import re
import sys

CLASSIFIERS = ("fc.", "AuxLogits.", "classifier.", "classif.", "pre_logits.", "head.", "last_linear.")
ARCHITECTURES = ("vgg16", "inception_v3", "resnet50", "inception_resnet_v2")
PICKLES = (".pth", ".pt", ".bin", ".pkl", ".ckpt")


class ConversionError(Exception):
    """What is wrong with the source, for people."""


def from_torch(tensors):
    """Tensors of torchvision or timm: the names are ours already."""
    base = {name: tensor for name, tensor in tensors.items() if not name.startswith(CLASSIFIERS)}
    integers = "num_batches_tracked"
    return {
        name: (tensor.long() if name.endswith(integers) else tensor.float()).contiguous().numpy()
        for name, tensor in base.items()
    }


def read_safetensors(path):
    from safetensors.torch import load_file

    return from_torch(load_file(path))


def read_pickle(path):
    import torch

    tensors = torch.load(path, map_location="cpu", weights_only=True)
    tensors = tensors.get("state_dict", tensors)
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise ConversionError(f"{path} holds something else than named tensors")
    return from_torch(tensors)


def read_keras_layers(path):
    """{layer name: {weight name: array}} of layers that have weights."""
    import h5py

    text = lambda value: value.decode() if isinstance(value, bytes) else str(value)
    layers = {}
    with h5py.File(path, "r") as file:
        root = file["model_weights"] if "model_weights" in file else file
        if "layer_names" not in root.attrs:
            raise ConversionError(
                f"{path} has no layer names; save the model with model.save('NAME.h5') and take that"
            )
        for layer in map(text, root.attrs["layer_names"]):
            names = [text(name) for name in root[layer].attrs["weight_names"]]
            weights = {n.split("/")[-1].split(":")[0]: root[layer][n][()] for n in names}
            if weights:
                layers[layer] = weights
    return layers


def convolution(weights, name):
    """Keras keeps kernels as height, width, in, out."""
    arrays = {name + ".weight": weights["kernel"].transpose(3, 2, 0, 1)}
    if "bias" in weights:
        arrays[name + ".bias"] = weights["bias"]
    return arrays


def batch_norm(weights, name):
    """Keras' networks leave out the factor gamma where a ReLU follows."""
    import numpy

    beta = weights["beta"]
    return {
        name + ".weight": weights.get("gamma", numpy.ones_like(beta)),
        name + ".bias": beta,
        name + ".running_mean": weights["moving_mean"],
        name + ".running_var": weights["moving_variance"],
    }


def numbered(layers, kind):
    """The layers conv2d, conv2d_1, ... in the order in which the network made them."""
    number = lambda name: int(name.rsplit("_", 1)[1]) if name != kind else 0
    return sorted((n for n in layers if re.fullmatch(kind + r"(_\d+)?", n)), key=number)


def keras_vgg16(layers):
    places = {1: (0, 2), 2: (5, 7), 3: (10, 12, 14), 4: (17, 19, 21), 5: (24, 26, 28)}
    arrays = {}
    for block, indices in places.items():
        for i, index in enumerate(indices, 1):
            arrays |= convolution(layers[f"block{block}_conv{i}"], f"features.{index}")
    return arrays


def conv_bn_units(layers, names):
    """Keras numbers convolutions and normalisations in the order that `names` follows."""
    convolutions = numbered(layers, "conv2d")
    normalizations = numbered(layers, "batch_normalization")
    if not len(names) == len(convolutions) == len(normalizations):
        raise ConversionError(f"{len(names)} convolutions were expected, {len(convolutions)} are there")
    arrays = {}
    for name, conv, bn in zip(names, convolutions, normalizations):
        arrays |= convolution(layers[conv], name + ".conv") | batch_norm(layers[bn], name + ".bn")
    return arrays


def keras_inception_v3(layers):
    stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"]
    double = ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]
    a = ["branch1x1", "branch5x5_1", "branch5x5_2", *double, "branch_pool"]
    b = ["branch3x3", *double]
    c = ["branch1x1", *(f"branch7x7_{i}" for i in (1, 2, 3))]
    c += [*(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)), "branch_pool"]
    d = ["branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4))]
    e = ["branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", *double[:2]]
    e += ["branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"]
    blocks = {"5b": a, "5c": a, "5d": a, "6a": b, "6b": c, "6c": c, "6d": c, "6e": c, "7a": d, "7b": e, "7c": e}
    names = stem + [f"Mixed_{block}.{unit}" for block, units in blocks.items() for unit in units]
    return conv_bn_units(layers, names)


def keras_inception_resnet_v2(layers):
    def units(block, *lengths):
        for branch, length in enumerate(lengths):
            name = f"{block}.branch{branch}"
            yield from [name] if length == 1 else [f"{name}.{i}" for i in range(length)]

    residual = [("repeat", 10, "block35", (1, 2, 3)), ("repeat_1", 20, "block17", (1, 3))]
    residual += [("repeat_2", 9, "block8", (1, 3))]
    before = {"repeat_1": list(units("mixed_6a", 1, 3)), "repeat_2": list(units("mixed_7a", 2, 2, 3))}
    names = ["conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a"]
    names += [*units("mixed_5b", 1, 2, 3), "mixed_5b.branch3.1"]
    arrays = {}
    for group, count, keras, lengths in residual:
        names += before.get(group, [])
        for i in range(count):
            names += units(f"{group}.{i}", *lengths)
            arrays |= convolution(layers[f"{keras}_{i + 1}_conv"], f"{group}.{i}.conv2d")
    names += units("block8", 1, 3)
    arrays |= convolution(layers["block8_10_conv"], "block8.conv2d")
    arrays |= convolution(layers["conv_7b"], "conv2d_7b.conv")
    arrays |= batch_norm(layers["conv_7b_bn"], "conv2d_7b.bn")
    return arrays | conv_bn_units(layers, names)


KERAS = {
    "vgg16": keras_vgg16,
    "inception_v3": keras_inception_v3,
    "inception_resnet_v2": keras_inception_resnet_v2,
}


def read_keras(path, architecture):
    if architecture not in KERAS:
        raise ConversionError(f"Keras' {architecture} is another network; take torchvision's weights")
    try:
        return KERAS[architecture](read_keras_layers(path))
    except KeyError as error:
        raise ConversionError(f"{path} is no {architecture} of Keras: it has no {error}") from error


def read(path, architecture, allow_pickle):
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    if path.suffix in (".h5", ".hdf5"):
        return read_keras(path, architecture)
    if path.suffix not in PICKLES:
        raise ConversionError(f"{path} is none of .safetensors, .h5, {', '.join(PICKLES)}")
    if not allow_pickle:
        raise ConversionError(
            f"{path} is a pickle, which can run any program when it is opened. If you trust its "
            "source, say --allow-pickle; a safetensors file of the same weights needs no trust."
        )
    return read_pickle(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--architecture", required=True, choices=ARCHITECTURES)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--allow-pickle", action="store_true", help="open files that can run programs")
    arguments = parser.parse_args()
    try:
        arrays = read(arguments.source, arguments.architecture, arguments.allow_pickle)
    except (ConversionError, OSError) as error:
        sys.exit(f"convert_weights: {error}")

    from safetensors.numpy import save_file

    arrays = {name: array.copy(order="C") for name, array in arrays.items()}
    save_file(arrays, arguments.output, {"architecture": arguments.architecture})
    print(f"{arguments.output}: {len(arrays)} tensors of {arguments.architecture}")


if __name__ == "__main__":
    main()
