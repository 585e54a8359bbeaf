"""Trains each trial by a command of its own that knows nothing of ranksweep.

    trainer: {command: [python3, command_trainer.py, ./train.sh], inputs: [train.sh]}

The command is run in the trial's folder of checkpoints with the parameters as options, `--learning_rate=0.1`, but
for `epochs`, `early_stopping` and `devices`, which are the coordinator's. It prints a line for each epoch, in order,
among any others, which show that it lives:

    epoch=1 val_loss=0.31 train_loss=0.42 anything_else=3

It is ended by SIGTERM when the trial needs no more epochs, and when the sweep is interrupted. Then, or after a crash,
the command is run again, in the same folder. It may start from the beginning. If it has a checkpoint of its own of
epoch RANKSWEEP_EPOCHS, or of an earlier one, it may go on from there: the first line that it prints tells.
RANKSWEEP_DEVICE and RANKSWEEP_THREADS say what to compute on.

Needs ranksweep_trainer.py (examples/python_trainer) beside it.
"""

import json
import math
import os
import re
import select
import signal
import subprocess
import sys
import time

from ranksweep_trainer import Agent, AgentGone, die_with_parent

KEY_AND_VALUE = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=(\S+)")
COORDINATORS = ("epochs", "early_stopping", "devices")
SECONDS_TO_END = 5


class CommandFailed(Exception):
    pass


def options_of(parameters):
    """`--name=value`: texts and numbers as they are, true, false, null, lists and mappings as JSON."""
    return [f"--{name}={value if isinstance(value, str) else json.dumps(value)}"
            for name, value in parameters.items() if name not in COORDINATORS]


def metrics_of(line):
    """The numbers of a line that ends an epoch; None for any other line."""
    values = dict(KEY_AND_VALUE.findall(line))
    if "epoch" not in values or "val_loss" not in values:
        return None
    try:
        return {name: int(value) if name == "epoch" else float(value) for name, value in values.items()}
    except ValueError as error:
        raise CommandFailed(f"not a number in the line {line!r}: {error}") from error


class Attempt:
    """One run of the command for one trial."""

    def __init__(self, command, assign, agent):
        self._agent = agent
        self._attempt = assign["attempt"]
        self._known_epochs = assign["known_epochs"]
        self._epoch = None  # the last one that was reported
        self._epoch_began = time.monotonic()
        self._progress_at = 0.0
        environment = {**os.environ, "RANKSWEEP_EPOCHS": str(assign["known_epochs"]),
                       "RANKSWEEP_DEVICE": assign["device"], "RANKSWEEP_THREADS": str(assign["threads"])}
        self._process = subprocess.Popen([*command, *options_of(assign["spec"])], cwd=assign["directory"],
                                         env=environment, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self._output = b""

    def run(self):
        """Returns the type of the message that ends the attempt, and its other fields."""
        try:
            while True:
                output = self._process.stdout
                readable, _, _ = select.select([output, self._agent], [], [], 0 if self._agent.has_message() else None)
                if self._agent.has_message() and self._is_stopped(self._agent.receive()):
                    return "stopped", {}
                end = self._read_output() if output in readable else None
                if end is not None:
                    return end
        finally:
            self._end_command()

    def _read_output(self):
        received = os.read(self._process.stdout.fileno(), 65536)
        self._output += received or b"\n"
        *lines, self._output = self._output.split(b"\n")
        for line in filter(None, lines):
            end = self._take(line.decode(errors="replace"))
            if end is not None:
                return end
        if not received:
            raise CommandFailed(f"the command ended with status {self._process.wait()}, and more epochs are wanted")
        return None

    def _take(self, line):
        print(line, flush=True)  # kept with the attempt
        metrics = metrics_of(line)
        if metrics:
            return self._report(metrics)
        if time.monotonic() - self._progress_at >= 1:
            self._progress_at = time.monotonic()
            self._agent.send("progress", attempt=self._attempt, epoch=(self._epoch or 0) + 1)
        return None

    def _report(self, metrics):
        if not math.isfinite(metrics["val_loss"]):
            return "diverged", {"epoch": metrics["epoch"]}
        if self._epoch is None:
            self._start(metrics["epoch"] - 1)
        self._epoch = metrics["epoch"]
        now = time.monotonic()
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        self._agent.send("epoch", attempt=self._attempt, metrics={"seconds": now - self._epoch_began, **finite})
        self._epoch_began = now
        while True:
            message = self._agent.receive()
            if self._is_stopped(message):
                return "stopped", {}
            if message["type"] == "verdict" and message["attempt"] == self._attempt:
                return ("finished", {}) if message["decision"] == "stop" else None

    def _start(self, resumed_from):
        if resumed_from > self._known_epochs:
            raise CommandFailed(f"the command goes on after epoch {resumed_from}, but the coordinator knows "
                                f"{self._known_epochs} epochs: go on from epoch $RANKSWEEP_EPOCHS or an earlier one")
        self._agent.send("started", attempt=self._attempt, resumed_from=resumed_from)

    def _is_stopped(self, message):
        return message["type"] == "stop" and message["attempt"] == self._attempt

    def _end_command(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def main():
    command = sys.argv[1:]
    if not command:
        sys.exit("usage: command_trainer.py COMMAND [ARGUMENT...], in the `trainer: {command: [...]}` of a sweep file")
    if "/" in command[0]:
        command[0] = os.path.abspath(command[0])  # it is run in another folder
    agent = Agent()
    try:
        while True:
            message = agent.receive()
            if message["type"] != "assign":
                continue
            attempt = message["attempt"]
            try:
                kind, fields = Attempt(command, message, agent).run()
            except (CommandFailed, OSError) as error:
                kind, fields = "failed", {"cause": "command", "message": str(error)}
            agent.send(kind, attempt=attempt, **fields)
    except AgentGone:
        pass


if __name__ == "__main__":
    main()
