"""The figures of a benchmark: a Markdown table on stdout, and a JSON file where --json wants one.

`run.sh` collects these files in a folder, and `render.py` puts their tables into docs/performance.md.
"""

import datetime
import json
import os
import pathlib
import platform


def add_option(parser):
    parser.add_argument("--json", type=pathlib.Path, help="keep the figures in this file too")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(figures):
    """Markdown. Numbers stand on the right."""
    rows = figures["rows"]
    rule = ["---:" if rows and isinstance(rows[0][i], (int, float)) else "---" for i in range(len(figures["columns"]))]
    lines = [figures["columns"], rule, *([show(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def show(cell):
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def report(columns, rows, path=None):
    figures = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores of {processor()}, load {os.getloadavg()[0]:.1f}",
        "columns": columns,
        "rows": rows,
    }
    print(table(figures), end="", flush=True)
    if path:
        path.write_text(json.dumps(figures, indent=1) + "\n")
