#!/usr/bin/env python3
"""Measures how long the results of a large sweep take to show, and what readers cost the writer.

Usage: results.py BUILD_FOLDER
1. `rank` and `report` on 10,000 trials and 300,000 epochs, each in a new process and with the
   database dropped from the file cache: best of five. Aims: 50 ms, 2 s and 5 MB.
2. Commits of an epoch, one after the other, alone and beside ten readers of each kind that look once
   a second: browsers on `ranksweep serve`, and programs that read the view `ranking`. A round is
   alone, beside, beside, alone, so that a drift of the machine cancels out; the median of the rounds
   counts. Aim: less than 2 % slower.
Exit status 1 when an aim is missed.
"""
import contextlib
import http.client
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

READERS = 10
ROUNDS = 7
SECONDS = 3  # that the writer commits, four times a round


def drop_from_cache(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def best_time(command, database):
    """Seconds of the clock and of the processor: on a busy machine the second says more."""
    clock, processor = [], []
    for _ in range(5):
        drop_from_cache(database)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        clock.append(time.perf_counter() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(clock), min(processor)


def show_large(build, folder):
    database, page = folder / "large.db", folder / "report.html"
    subprocess.run([build / "tests/write_synthetic_sweep", database, "10000", "37"], check=True)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows, = connection.execute("SELECT count(*) FROM epoch").fetchone()
    program = build / "bin/ranksweep"
    rank, rank_cpu = best_time([program, "rank", database], database)
    every, every_cpu = best_time([program, "rank", database, "--format", "csv"], database)
    report, report_cpu = best_time([program, "report", database, "-o", page], database)
    size = page.stat().st_size / 1e6
    print(f"10,000 trials, {rows:,} epochs, {database.stat().st_size / 1e6:.0f} MB:")
    print(f"  rank               {rank * 1000:.0f} ms (aim 50), {rank_cpu * 1000:.0f} ms of the processor")
    print(f"  rank --format csv  {every * 1000:.0f} ms, {every_cpu * 1000:.0f} ms of the processor: all the rows")
    print(f"  report             {report:.2f} s (aim 2), {report_cpu:.2f} s of the processor, {size:.2f} MB (aim 5)",
          flush=True)
    return rank < 0.05 and report < 2 and size < 5


def commit_epochs(database):
    """Commits for SECONDS, as durably as a sweep. Prints seconds of the clock and the processor for one."""
    connection = sqlite3.connect(database, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous = EXTRA")
    commits, begin, processor = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < SECONDS:
        connection.execute("UPDATE epoch SET val_loss = val_loss * 0.999 WHERE trial = ? AND epoch = 1",
                           [commits % 20 + 1])
        commits += 1
    print((time.perf_counter() - begin) / commits, (time.process_time() - processor) / commits)


def time_writer(database):
    """What commit_epochs prints, from a process that shares nothing with the readers."""
    writer = subprocess.run([sys.executable, __file__, "--commit", database], check=True, text=True,
                            stdout=subprocess.PIPE)
    return [float(number) for number in writer.stdout.split()]


@contextlib.contextmanager
def polling(look):
    """READERS threads that look once a second, at different times."""
    stop = threading.Event()

    def poll(number):
        stop.wait(number / READERS)
        while not stop.is_set():
            look()
            stop.wait(1)

    readers = [threading.Thread(target=poll, args=(number,)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        stop.set()
        for reader in readers:
            reader.join()


@contextlib.contextmanager
def browsers(build, database):
    server = subprocess.Popen([build / "bin/ranksweep", "serve", database, "--port", "0"], text=True,
                              stdout=subprocess.PIPE)
    port = int(server.stdout.readline().split("/")[2].split(":")[1])
    seen = threading.local()

    def look():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/", headers={"If-None-Match": getattr(seen, "tag", "")})
        answer = connection.getresponse()
        answer.read()
        seen.tag = answer.headers["ETag"]
        connection.close()

    try:
        with polling(look):
            yield
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def programs(build, database):
    def look():
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)
        connection.execute("SELECT * FROM ranking").fetchall()
        connection.close()

    with polling(look):
        yield


def percent(ratio):
    return f"{(ratio - 1) * 100:+.1f}"


def cost_of_readers(build, folder, name, readers):
    database = folder / f"{name}.db"
    subprocess.run([build / "tests/write_synthetic_sweep", database, "40", "30"], check=True)
    time_writer(database)  # so that all is warm
    clock, processor = [], []
    for _ in range(ROUNDS):
        first = time_writer(database)
        with readers(build, database):
            beside = [time_writer(database) for _ in range(2)]
        last = time_writer(database)
        for ratios, i in ((clock, 0), (processor, 1)):
            ratios.append((beside[0][i] + beside[1][i]) / (first[i] + last[i]))
    for kind, ratios in (("clock", clock), ("processor", processor)):
        low, median, high = statistics.quantiles(ratios, n=4)
        print(f"  {READERS} {name}: a commit takes {percent(median)} % by the {kind}, in the middle half of {ROUNDS} "
              f"rounds {percent(low)} to {percent(high)} %", flush=True)
    return statistics.median(clock) < 1.02


def main():
    if sys.argv[1] == "--commit":
        commit_epochs(sys.argv[2])
        return 0
    build = Path(sys.argv[1]).resolve()
    folder = Path(tempfile.mkdtemp(prefix="ranksweep-results-"))
    try:
        fit = show_large(build, folder)
        print("Commits beside readers:")
        fit = cost_of_readers(build, folder, "browsers", browsers) and fit
        fit = cost_of_readers(build, folder, "programs", programs) and fit
    finally:
        shutil.rmtree(folder)
    return 0 if fit else 1


if __name__ == "__main__":
    sys.exit(main())
