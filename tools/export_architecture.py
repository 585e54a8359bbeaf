#!/usr/bin/env python3
"""Writes an architecture as a TorchScript file, to be trained by a sweep: no C++ needed.

    tools/export_architecture.py timm:convnext_tiny -o convnext_tiny.pt [--pretrained]
    tools/export_architecture.py mine.py:make_base -o mine.pt --normalization imagenet

    grid: {architecture: [resnet50, {torchscript: convnext_tiny.pt}]}

timm:NAME is a network of timm without its classifier; --pretrained downloads timm's published weights.
FILE.py:FUNCTION is a function without arguments that returns a torch.nn.Module, which takes normalised
images [N, 3, height, width] and gives feature maps [N, channels, height, width]. ranksweep puts a head
of its own on top. The weights that the module has are those that every trial starts from.

The file holds the module, scripted and not traced, so that dropout and batch normalisation know whether
they are trained, and `ranksweep.json`: how images are prepared, and what a pass costs at --image-size.
Loading such a file runs code from it: take none from a place that you do not trust.

Needs torch, and timm for timm:NAME; runs itself with .venv-tests (tools/setup.sh --parity) where that is there.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import sys

PYTHON = pathlib.Path(__file__).resolve().parents[1] / ".venv-tests/bin/python"
# Mean and deviation, by the name that a sweep file has for them.
NORMALIZATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "minus1_1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "scale_0_1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


class ExportError(Exception):
    """What is wrong with the module, for people."""


def from_timm(name, pretrained):
    """The module, and the normalisation that its weights were made with."""
    try:
        import timm
    except ImportError as error:
        raise ExportError("timm:NAME needs the Python package timm: tools/setup.sh --parity installs it") from error
    if name not in timm.list_models():
        near = ", ".join(timm.list_models(f"*{name}*")[:8])
        raise ExportError(f"timm has no network {name}" + (f"; there are {near}" if near else ""))
    module = timm.create_model(name, pretrained=pretrained, num_classes=0, global_pool="", scriptable=True)
    given = tuple(module.pretrained_cfg["mean"]), tuple(module.pretrained_cfg["std"])
    fitting = [key for key, value in NORMALIZATIONS.items() if value == given]
    return module, fitting[0] if fitting else None


def from_file(place):
    path, _, function = place.rpartition(":")
    specification = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    if not function or specification is None or not pathlib.Path(path).is_file():
        raise ExportError(f"{place} is neither timm:NAME nor FILE.py:FUNCTION")
    code = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = code  # where torch looks for the source
    specification.loader.exec_module(code)
    if not hasattr(code, function):
        raise ExportError(f"{path} has no function {function}")
    return getattr(code, function)()


def check_tensors(module):
    import torch

    for name, tensor in module.state_dict().items():
        if tensor.dtype not in (torch.float32, torch.int64):
            raise ExportError(f"{name} is of {tensor.dtype}; checkpoints hold float32 and int64 alone")


def check_training(module, images):
    """Every parameter must take part, or an optimizer would wait for its gradient in vain."""
    features = module.train()(images)
    if features.dim() != 4 or features.shape[0] != images.shape[0]:
        raise ExportError(f"it gives {list(features.shape)} for images {list(images.shape)}; feature maps "
                          "[N, channels, height, width] are wanted: it must end before its pooling and classifier")
    features.sum().backward()
    idle = [name for name, each in module.named_parameters() if each.requires_grad and each.grad is None]
    module.zero_grad(set_to_none=True)
    if idle:
        raise ExportError(f"these parameters have no part in the feature maps: {', '.join(idle[:8])}")


def measure(module, images):
    """Multiply-adds of a pass with one image, and the numbers that its leaves give."""
    from torch.utils.flop_counter import FlopCounterMode

    numbers = []
    hooks = [leaf.register_forward_hook(lambda _module, _inputs, output: numbers.append(output.numel()))
             for leaf in module.modules() if not list(leaf.children())]
    with FlopCounterMode(display=False) as counter:
        module.eval()(images[:1])
    for hook in hooks:
        hook.remove()
    return counter.get_total_flops() // 2, sum(numbers)


def export(options):
    import torch

    torch.manual_seed(options.seed)
    if options.architecture.startswith("timm:"):
        module, normalization = from_timm(options.architecture.removeprefix("timm:"), options.pretrained)
    else:
        module, normalization = from_file(options.architecture), None
    normalization = options.normalization or normalization
    if normalization is None:
        raise ExportError(f"how are images prepared for it? --normalization {', '.join(NORMALIZATIONS)}")
    images = torch.rand(2, 3, *options.image_size)
    check_tensors(module)
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    check_training(module, images)
    module.load_state_dict(state)  # the check moved the statistics of batch normalisation
    multiply_adds, activations = measure(module, images)
    try:
        scripted = torch.jit.script(module.train())
    except Exception as error:  # whatever the compiler of TorchScript throws
        raise ExportError(f"TorchScript cannot express it:\n{error}") from error
    facts = {"normalization": normalization, "image_size": options.image_size, "multiply_adds": multiply_adds,
             "activations": activations}
    scripted.save(str(options.output), _extra_files={"ranksweep.json": json.dumps(facts)})
    parameters = sum(each.numel() for each in module.parameters())
    print(f"{options.output}: {parameters:,} parameters, {multiply_adds / 1e6:,.0f} M multiply-adds at "
          f"{options.image_size[0]} x {options.image_size[1]}, prepared as {normalization}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture", help="timm:NAME or FILE.py:FUNCTION")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--pretrained", action="store_true", help="with timm's published weights")
    parser.add_argument("--normalization", choices=NORMALIZATIONS, help="how images are prepared for it")
    parser.add_argument("--image-size", type=int, nargs=2, default=[150, 150], metavar=("HEIGHT", "WIDTH"),
                        help="for what a pass costs; other sizes can be trained as far as the network can")
    parser.add_argument("--seed", type=int, default=0, help="of weights that are not pretrained")
    options = parser.parse_args()
    try:
        export(options)
    except ExportError as error:
        sys.exit(f"export_architecture: {error}")


if __name__ == "__main__":
    if importlib.util.find_spec("torch") is None:
        if not PYTHON.exists() or sys.prefix == str(PYTHON.parent.parent):
            sys.exit("export_architecture: the Python package torch is not there: tools/setup.sh --parity installs it")
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    main()
