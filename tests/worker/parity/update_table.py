#!/usr/bin/env python3
"""Makes docs/parity.md: runs the full comparison with torchvision and timm and tabulates it.

    tests/worker/parity/update_table.py build/release/tests/parity_test
"""

import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
REFERENCES = {"inception_resnet_v2": "timm"}  # the others are torchvision's

INTRODUCTION = """# Parity with the reference implementations

    {command}

makes this page. It needs the Python packages in `.venv-tests`; this one was made with torch {torch},
torchvision {torchvision} and timm {timm}.

For each network and image size the reference is initialised by its own package, its weights go
through a safetensors file into ours, and both compute the same batch of three images: the logits in
evaluation and in training mode, the gradient of every parameter, and the statistics of batch
normalisation after the step. A deviation is the length of the difference over the length of the
reference's tensor; the worst tensor counts. Allowed are 1e-4, and 1e-3 for gradients. Parameters are
those of the whole network with ten classes, and equal the reference's exactly. 0.0e+00 is equality
bit for bit: on one machine with one release of Torch both sides run the same kernels.

| network | reference | image | parameters | logits, evaluation | logits, training | gradients | batch-norm statistics |
|---|---|---|---:|---:|---:|---:|---:|
"""


def versions():
    python = ROOT / ".venv-tests/bin/python"
    code = "import importlib.metadata as m; print(*(m.version(p) for p in ('torch', 'torchvision', 'timm')))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def run_tests(program):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run(
            [program, "--gtest_filter=*FullParity*", f"--gtest_output=json:{report.name}"], check=True
        )
        suites = json.load(report)["testsuites"]
    return [test for suite in suites for test in suite["testsuite"]]


def row(test):
    network, size = test["name"].split("/")[-1].rsplit("_", 1)
    cells = [
        network,
        REFERENCES.get(network, "torchvision"),
        f"{size} x {size}",
        f"{int(test['parameters']):,}",
        test["logits.eval"],
        test["logits.train"],
        test["gradient"],
        test.get("buffer", "none"),
    ]
    return "| " + " | ".join(cells) + " |\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch, torchvision, timm = versions()
    rows = "".join(row(test) for test in run_tests(sys.argv[1]))
    command = "tests/worker/parity/update_table.py build/release/tests/parity_test"
    page = INTRODUCTION.format(command=command, torch=torch, torchvision=torchvision, timm=timm)
    (ROOT / "docs/parity.md").write_text(page + rows)


if __name__ == "__main__":
    main()
