#!/usr/bin/env python3
"""Training steps a second on one GPU, beside PyTorch's DistributedDataParallel, eager and compiled.

    tools/benchmarks/gpu_step.py build/cuda/bin/ranksweep-trainer [--batch 10 64] [--architectures ...]

Run it with the Python whose torch is to be the rival. ResNet-50 and simple_cnn at 150 x 150 by default, in TF32
and in bfloat16, both in channels-last layout, which is the quicker one on GPUs. DistributedDataParallel runs as a
group of one, as people run it on one card. ranksweep has two columns: steps as they are, and as CUDA graphs
(`execution: cuda_graphs`). The median of `--steps` steps after a warm-up counts; the ratios are of the quicker
column, and above 1 where ranksweep is quicker. `--device cpu` tries the script without a GPU.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from training_step import reference  # noqa: E402

WARM_UP = 10


def ours(name, precision, batch, options, graphs):
    trial = {"architecture": name, "training": "full", "memory_format": "channels_last", "precision": precision,
             "batch_size": batch, "image_size": [options.size, options.size]}
    command = [options.trainer, "steps", "--device", "cuda:0" if options.device == "cuda" else "cpu",
               "--steps", str(WARM_UP + options.steps), *(["--cuda-graphs"] if graphs else []), json.dumps(trial)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    steps = json.loads(output.splitlines()[-1])[0]
    return statistics.median(wall for wall, _ in steps[WARM_UP:]) if steps else None


def pytorch(name, precision, batch, options, compiled):
    network = reference(name).train().to(options.device, memory_format=torch.channels_last)
    network = torch.nn.parallel.DistributedDataParallel(network)
    optimizer = torch.optim.RMSprop(network.parameters(), lr=1e-6)
    forward = torch.compile(network) if compiled else network
    pixels = torch.randint(0, 256, (batch, 3, options.size, options.size), dtype=torch.uint8)
    labels = (torch.arange(batch) % 2).float()
    seconds = []
    for _ in range(WARM_UP + options.steps):
        begin = time.perf_counter()
        images = (pixels.to(options.device).float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(options.device, torch.bfloat16, enabled=precision == "bfloat16"):
            logits = forward(images).squeeze(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels.to(options.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if options.device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[WARM_UP:])


def show(rate):
    return f"{rate:.1f}" if isinstance(rate, float) else rate


def measured(measure):
    """Steps a second, or why there are none."""
    try:
        seconds = measure()
        return 1 / seconds if seconds else "not here"
    except Exception as error:  # a compiler that is missing, too little memory
        return f"{type(error).__name__}: {error}".splitlines()[0][:60]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("trainer", type=pathlib.Path)
    parser.add_argument("--architectures", nargs="+", default=["simple_cnn", "resnet50"])
    parser.add_argument("--batch", nargs="+", type=int, default=[10, 64])
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    torch.distributed.init_process_group("nccl" if options.device == "cuda" else "gloo", rank=0, world_size=1,
                                         store=torch.distributed.HashStore())
    torch.backends.cuda.matmul.allow_tf32 = True  # in convolutions it is the default
    card = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    print(f"{card}, torch {torch.__version__}, {options.size} x {options.size}, steps a second\n")
    print("| architecture | batch | precision | ranksweep | with graphs | DDP eager | ratio | DDP compiled | ratio |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|")
    rows = []
    for name in options.architectures:
        for batch in options.batch:
            for precision in ("tf32", "bfloat16"):
                own = [measured(lambda: ours(name, precision, batch, options, graphs)) for graphs in (False, True)]
                rivals = [measured(lambda: pytorch(name, precision, batch, options, compiled))
                          for compiled in (False, True)]
                rows.append([name, batch, precision, *own, *rivals])
                best = max((rate for rate in own if isinstance(rate, float)), default=None)
                cells = [show(rate) for rate in own]
                for rival in rivals:
                    both = isinstance(rival, float) and best
                    cells += [show(rival), f"{best / rival:.2f}" if both else ""]
                print(f"| {name} | {batch} | {precision} | " + " | ".join(cells) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"card": card, "torch": torch.__version__, "rows": rows}, indent=2) + "\n")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
