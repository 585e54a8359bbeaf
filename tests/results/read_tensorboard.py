"""Reads exported event files with TensorBoard's own code. Usage: read_tensorboard.py DATABASE RUNS"""

import os
import sqlite3
import sys

from tensorboard.backend.event_processing import event_accumulator, event_multiplexer
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import metadata

SCALARS = {"loss/train": "train_loss", "loss/validation": "val_loss", "accuracy/train": "train_accuracy",
           "accuracy/validation": "val_accuracy", "learning_rate": "learning_rate"}


def near(a, b):
    return abs(a - b) <= 1e-6 * abs(b)  # a scalar is a float of 32 bits


def read_run(folder):
    run = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.SCALARS: 0})
    run.Reload()
    return run


def scalars(run, tag):
    return {event.step: event.value for event in run.Scalars(tag)} if tag in run.Tags()["scalars"] else {}


def hparams_of(folder):
    """By name of the summary, the parsed plugin data. A bad checksum would be an error here."""
    found = {}
    for name in os.listdir(folder):
        if not name.startswith("events.out.tfevents"):
            continue
        for record in RawEventFileLoader(os.path.join(folder, name)).Load():
            for value in Event.FromString(record).summary.value:
                if value.metadata.plugin_data.plugin_name == "hparams":
                    found[value.tag] = value.metadata.plugin_data.content
    return found


def main():
    database, runs = sys.argv[1:]
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    trials = connection.execute("SELECT trial, mark, best_epoch, val_loss FROM ranking WHERE epochs_done > 0").fetchall()
    folders = {name.rsplit("_", 1)[1]: os.path.join(runs, name) for name in os.listdir(runs)
               if os.path.isdir(os.path.join(runs, name))}
    assert len(folders) == len(trials) > 30, (len(folders), len(trials))
    swept = [name for name, in connection.execute("SELECT name FROM swept_parameter ORDER BY position")]
    points = 0
    for trial, mark, best_epoch, val_loss in trials:
        run = read_run(folders[trial[:8]])
        for tag, column in SCALARS.items():
            wanted = dict(connection.execute(
                f"SELECT epoch, {column} FROM learning_curves WHERE trial = ? AND {column} IS NOT NULL", [trial]))
            found = scalars(run, tag)
            assert found.keys() == wanted.keys(), (tag, found, wanted)
            assert all(near(found[epoch], wanted[epoch]) for epoch in wanted), (tag, found, wanted)
            points += len(found)
        if best_epoch is not None:
            best = scalars(run, "best/val_loss")
            assert list(best) == [best_epoch] and near(best[best_epoch], val_loss), best
        start = metadata.parse_session_start_info_plugin_data(
            hparams_of(folders[trial[:8]])["_hparams_/session_start_info"])
        assert start.group_name == trial
        for name in swept:
            value, = connection.execute("SELECT parameter.value FROM parameter JOIN trial ON trial.id = parameter.trial"
                                        " WHERE identity = ? AND name = ?", [trial, name]).fetchone()
            shown = start.hparams[name]
            assert value == (shown.string_value if isinstance(value, str) else shown.number_value), (name, value, shown)
        end = metadata.parse_session_end_info_plugin_data(hparams_of(folders[trial[:8]])["_hparams_/session_end_info"])
        assert end.status == {"finished": 1, "collapsed": 1, "running": 3}.get(mark, 2), (mark, end)
    experiment = metadata.parse_experiment_plugin_data(hparams_of(runs)["_hparams_/experiment"])
    assert [info.name for info in experiment.hparam_infos] == swept
    assert [info.name.tag for info in experiment.metric_infos] == ["best/val_loss", "best/val_accuracy"]
    multiplexer = event_multiplexer.EventMultiplexer().AddRunsFromDirectory(runs)
    multiplexer.Reload()
    assert len(multiplexer.Runs()) == len(trials) + 1  # and the experiment's own
    print(f"TensorBoard read {points} points of {len(trials)} runs")


main()
