#!/usr/bin/env python3
"""Puts what benchmarks printed into a document.

    tools/benchmarks/insert.py FOLDER docs/performance.md

FOLDER/NAME.txt goes between the lines `<!-- NAME -->` and `<!-- /NAME -->`, with its date and the machine above.
What has no place in the document is an error; a place without a file stays as it is.
"""

import datetime
import os
import pathlib
import re
import sys


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine


def body(file):
    text = file.read_text().strip("\n")
    if not text.startswith("|"):  # no Markdown table
        text = f"```text\n{text}\n```"
    date = datetime.date.fromtimestamp(file.stat().st_mtime)
    return f"{date}, {os.cpu_count()} cores of {processor()}:\n\n{text}\n"


def insert(text, file):
    begin, end = f"<!-- {file.stem} -->\n", f"<!-- /{file.stem} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    text, found = pattern.subn(lambda _: begin + body(file) + end, text)
    if not found:
        sys.exit(f"{file.name} has no place in the document: write the lines {begin.strip()} and {end}")
    return text


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, document = map(pathlib.Path, sys.argv[1:])
    text = document.read_text()
    for file in sorted(folder.glob("*.txt")):
        text = insert(text, file)
    document.write_text(text)


if __name__ == "__main__":
    main()
