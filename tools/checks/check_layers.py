#!/usr/bin/env python3
"""Holds the includes to the architecture: who may include whom, and the one home of each foreign header."""

import re
import subprocess
import sys
from pathlib import Path

# Folder -> folders of ours that it may include, beside itself.
MAY_INCLUDE = {
    "sweeps": set(),
    "cluster": {"sweeps"},
    "results": {"sweeps"},
    "worker": {"sweeps", "cluster"},
    "orchestrator": {"sweeps", "cluster", "results"},
    "tools": {"sweeps", "cluster", "results", "worker", "orchestrator"},
    "tests": {"sweeps", "cluster", "results", "worker", "orchestrator", "tools"},
}

# Foreign header -> files that may include it. Tests may include all.
HOMES = [
    (re.compile(r"mpi\.h"), re.compile(r"cluster/mpi_transport\.cc")),
    (re.compile(r"sqlite3\.h|SQLiteCpp/.*"), re.compile(r"results/.*\.cc|results/(change|prediction)_writer\.h")),
    (re.compile(r"nccl\.h"), re.compile(r"worker/parallel/nccl_.*")),
    (re.compile(r"protozero/.*"), re.compile(r"results/export/.*\.cc")),
    (re.compile(r"httplib\.h"), re.compile(r"tools/cli/report_server\.cc")),
    (re.compile(r"yaml-cpp/.*"), re.compile(r"sweeps/.*\.cc")),
    (re.compile(r"(torch|ATen|c10)/.*"), re.compile(r"worker/.*|tools/benchmarks/.*")),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def violations(path: Path, text: str) -> list[str]:
    folder = path.parts[0]
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        place = f"{path}:{number}"
        top = header.split("/")[0]
        if quote == '"' and top in MAY_INCLUDE:
            if top != folder and top not in MAY_INCLUDE[folder]:
                found.append(f"{place}: {folder}/ may not include {top}/ ({header})")
        for foreign, home in HOMES:
            if foreign.fullmatch(header) and folder != "tests" and not home.fullmatch(str(path)):
                found.append(f"{place}: {header} has another home")
    return found


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    listing = subprocess.run(
        ["git", "ls-files", "*.h", "*.cc"], cwd=root, check=True, capture_output=True, text=True
    )
    files = [Path(name) for name in listing.stdout.splitlines()]
    files = [path for path in files if path.parts[0] in MAY_INCLUDE]
    if not files:
        print("no source files found: nothing was checked")
        return 1
    found = [line for path in files if (root / path).exists() for line in violations(path, (root / path).read_text())]
    print("\n".join(found) or f"{len(files)} files keep to the layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
