"""Train the trials of a ranksweep sweep in Python. One file, standard library only: copy it beside your program.

    from ranksweep_trainer import serve

    def train(trial):
        model = make_model(trial.parameters["width"])
        if trial.checkpoint:
            load(model, trial.checkpoint)
        for epoch in trial.epochs():
            train_loss = train_one_epoch(model, trial.parameters["learning_rate"])
            trial.report(val_loss=validate(model), train_loss=train_loss, save=lambda path: save(model, path))

    serve(train)

and in the sweep file `trainer: {command: [python3, train.py], inputs: [train.py]}`. The rules behind it are in
docs/trainer_protocol.md, what the sweep file may say in docs/external_trainers.md.
"""

import ctypes
import errno
import json
import math
import os
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

PROTOCOL_VERSION = 1
SOCKET = 3  # the descriptor at which the agent listens
STATE = "state.json"  # what there is to go on from, beside the checkpoints
STORAGE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


class Stopped(BaseException):
    """The sweep was interrupted: leave train(). The same command goes on from the last checkpoint."""


class Diverged(BaseException):
    """The loss is no finite number: leave train()."""


class AgentGone(BaseException):
    """Nobody listens any more: exit."""


def die_with_parent():
    """A program that outlives its agent would write to checkpoints that another one works on by then."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Agent:
    """The agent of `ranksweep run` that started this program. Messages are a JSON object a line."""

    def __init__(self):
        try:
            self._socket = socket.socket(fileno=SOCKET)
        except OSError:
            sys.exit(f"{sys.argv[0]} trains the trials of a sweep: name it in the sweep file, `trainer: {{command: "
                     "[python3, ...]}`, and `ranksweep run` starts it")
        self._buffer = b""
        die_with_parent()
        self.send("ready", version=PROTOCOL_VERSION, program=f"{sys.argv[0]}, Python {sys.version.split()[0]}")

    def fileno(self):
        return self._socket.fileno()

    def send(self, kind, **fields):
        line = json.dumps({"type": kind, **fields}, allow_nan=False) + "\n"
        try:
            self._socket.sendall(line.encode())
        except OSError as error:
            raise AgentGone from error

    def receive(self):
        """The next message; waits for it."""
        while b"\n" not in self._buffer:
            try:
                received = self._socket.recv(65536)
            except OSError as error:
                raise AgentGone from error
            if not received:
                raise AgentGone
            self._buffer += received
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def has_message(self):
        return b"\n" in self._buffer or bool(select.select([self._socket], [], [], 0)[0])


class Trial:
    """One trial to train.

    parameters  what the sweep file gives it, by name; `epochs`, `early_stopping` and `devices` too
    data        the sweep file's `data` with `path`, if it has any, and `fingerprint`
    device      "cpu" or "cuda:0", "cuda:1", ...
    threads     how many CPU threads to use
    directory   the trial's own folder, which it finds again after an interruption, maybe on another node
    checkpoint  the file to go on from, as a `save` of report() wrote it; None when there is none yet
    epoch       the epoch that `checkpoint` was saved after, 0 without one; then the last one that was reported
    goes_on     whether the coordinator wants another epoch
    """

    def __init__(self, assign, agent):
        self.parameters = assign["spec"]
        self.data = assign["data"]
        self.device = assign["device"]
        self.threads = assign["threads"]
        self.directory = Path(assign["directory"])
        self._agent = agent
        self._attempt = assign["attempt"]
        self._save_interval = assign["checkpoint_interval"]
        self.goes_on = True
        self._history = []  # the metrics of each epoch
        self.checkpoint = None
        self._read_state()
        self.epoch = len(self._history)
        self._epoch_began = self._saved_at = time.monotonic()
        self._progress_at = 0.0
        self._start(assign["known_epochs"])

    def epochs(self):
        """The epochs to train, each of which ends with report(), until the coordinator has enough of them."""
        while self.goes_on:
            epoch = self.epoch + 1
            yield epoch
            if self.epoch != epoch:
                raise RuntimeError(f"epoch {epoch} ended without report()")

    def report(self, val_loss, save=None, suffix=".checkpoint", **metrics):
        """Ends an epoch. Returns whether there is another.

        `metrics` are numbers of any names; train_loss, train_accuracy, val_accuracy, learning_rate, train_images,
        val_images and val_classes_predicted have columns of their own in the database. Early stopping is decided
        here, by `val_loss`, and not in your program.

        `save(path)` writes all that training goes on from (weights, optimizer, random numbers) to a file whose name
        ends in `suffix`, such as ".pt". It is called for the epochs that are to be kept: the best so far, and the newest, now and
        then and before an interruption.
        """
        if not self.goes_on:
            raise RuntimeError("report() after the last epoch: look at what report() returns, or go through epochs()")
        now = time.monotonic()
        losses = [val_loss, metrics.get("train_loss", 0.0)]
        if not all(math.isfinite(loss) for loss in losses):
            self._agent.send("diverged", attempt=self._attempt, epoch=self.epoch + 1)
            raise Diverged
        self.epoch += 1
        self._history.append({"epoch": self.epoch, "val_loss": float(val_loss), "seconds": now - self._epoch_began,
                              **{name: _number(value) for name, value in metrics.items() if math.isfinite(value)}})
        stopped = self._stop_is_wanted()
        if save is not None and (stopped or self.epoch == self._best_epoch() or
                                 now - self._saved_at >= self._save_interval):
            self._save(save, suffix)
        self._send_epoch(self._history[-1])
        if stopped:
            self._leave()
        self._hear_verdict()
        self._epoch_began = time.monotonic()
        return self.goes_on

    def progress(self, step, steps, images_per_second=0.0):
        """Shows that the program lives; call it after each step. Without it, an epoch may take as long as
        `execution: silence_limit` of the sweep file and no longer."""
        now = time.monotonic()
        if now - self._progress_at < 0.25:
            return
        self._progress_at = now
        self._agent.send("progress", attempt=self._attempt, epoch=self.epoch + 1, step=step, steps=steps,
                         images_per_second=images_per_second)
        if self._stop_is_wanted():
            self._leave()

    def best_checkpoint(self):
        """The file of the epoch with the smallest validation loss; None when nothing was saved."""
        return self._file_of(self._best_epoch())

    def end(self):
        """Called by serve() when train() has returned."""
        if self.goes_on:
            raise RuntimeError("train() returned while the coordinator wants more epochs: "
                               "go through trial.epochs() to its end")
        self._agent.send("finished", attempt=self._attempt)

    def _start(self, known_epochs):
        # The coordinator may have lost the last epochs before it wrote them: it hears of them again.
        resumed_from = min(self.epoch, known_epochs)
        self._agent.send("started", attempt=self._attempt, resumed_from=resumed_from)
        for metrics in self._history[resumed_from:]:
            self._send_epoch(metrics)
            self._hear_verdict()

    def _send_epoch(self, metrics):
        self._agent.send("epoch", attempt=self._attempt, metrics=metrics)

    def _hear_verdict(self):
        while True:
            message = self._agent.receive()
            if message["attempt"] != self._attempt:
                continue  # late
            if message["type"] == "stop":
                self._leave()
            if message["type"] == "verdict":
                self.goes_on = message["decision"] == "go_on"
                return

    def _stop_is_wanted(self):
        while self._agent.has_message():
            message = self._agent.receive()
            if message["type"] == "stop" and message["attempt"] == self._attempt:
                return True
        return False

    def _leave(self):
        self._agent.send("stopped", attempt=self._attempt)
        raise Stopped

    def _best_epoch(self):
        losses = [metrics["val_loss"] for metrics in self._history]
        return losses.index(min(losses)) + 1 if losses else 0

    def _file_of(self, epoch):
        return next(self.directory.glob(f"epoch-{epoch}.*"), None)

    def _save(self, save, suffix):
        # A file counts once it is whole under its name, and the state once its checkpoint does.
        self._write_whole(f"epoch-{self.epoch}{suffix}", save)
        self._write_whole(STATE, lambda path: path.write_text(json.dumps(self._history)))
        self._saved_at = time.monotonic()
        kept = {self._file_of(self.epoch), self._file_of(self._best_epoch())}
        for file in set(self.directory.glob("epoch-*")) - kept:
            file.unlink()

    def _write_whole(self, name, write):
        path = self.directory / ("in-work-" + name)
        write(path)
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        path.rename(self.directory / name)

    def _read_state(self):
        state = self.directory / STATE
        if state.exists():
            self._history = json.loads(state.read_text())
            self.checkpoint = self._file_of(len(self._history))
        if self.checkpoint is None:
            self._history = []


def _train_one(train, assign, agent):
    attempt = assign["attempt"]
    if assign["members"] > 1:
        agent.send("failed", attempt=attempt, cause="devices",
                   message="ranksweep_trainer.py trains a trial on one device: leave `devices` at 1")
        return
    try:
        trial = Trial(assign, agent)
        train(trial)
        trial.end()
    except (Stopped, Diverged):
        pass
    except Exception as error:  # whatever it is costs this attempt alone
        traceback.print_exc()
        agent.send("failed", attempt=attempt, cause=_cause_of(error), message=f"{type(error).__name__}: {error}")


def _number(value):
    return value if isinstance(value, int) else float(value)  # of NumPy or PyTorch, too


def _cause_of(error):
    if isinstance(error, OSError) and error.errno in STORAGE_ERRORS:
        return "storage"  # the next trial would fail in the same way, so the sweep stops
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return "out of memory"
    return "internal"


def serve(train):
    """Calls train(trial) for one trial after the other, until there are no more."""
    agent = Agent()
    try:
        while True:
            message = agent.receive()
            if message["type"] == "assign":
                _train_one(train, message, agent)
    except AgentGone:
        pass
