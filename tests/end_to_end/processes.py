"""The processes below one, as /proc tells."""

import os
import time


def stat(pid):
    """Its name, cut to 15 characters, and what follows it in /proc/PID/stat; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            return name, rest.split()
    except OSError:
        return None


def lives(pid):
    found = stat(pid)
    return found is not None and found[1][0] != "Z"


def left_after(seconds, pids):
    """Those of them that still live then. It waits no longer than it must."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def parents():
    """The parent of each process."""
    return {int(entry): int(found[1][1]) for entry in os.listdir("/proc")
            if entry.isdigit() and (found := stat(entry))}


def children(parent, parent_of=None):
    return [pid for pid, its_parent in (parent_of or parents()).items() if its_parent == parent]


def descendants(root):
    parent_of = parents()
    found, frontier = [], [root]
    while frontier:
        parent = frontier.pop()
        below = children(parent, parent_of)
        found += below
        frontier += below
    return found


def named(name, root):
    """Those below `root`, the oldest first."""
    return sorted(pid for pid in descendants(root) if (found := stat(pid)) and found[0] == name[:15])


def trainers_under(root):
    return named("ranksweep-trainer", root)


def ranks_under(root):
    return named("ranksweep", root)
