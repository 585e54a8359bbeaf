#!/usr/bin/env python3
"""Trials that do nothing: how many a second ranksweep gets done, beside others that run trials in parallel.

    tools/benchmarks/noop_trials.py build/release [--tuners PYTHON] [--ranks 8] [--rounds 3] [--json noop.json]

Each runs the same number of workers on this host and keeps its results where its documentation keeps them. A trial
reads one number and reports one. Rounds alternate, figures are medians with the least and the largest, from the first
trial to the last: what starting takes is left out for all.

PYTHON has the rivals: pip install optuna 'ray[tune]' libensemble deephyper mpi4py. One that is missing is named as
missing. ranksweep runs for real: mpirun, an agent and a trainer process a rank, a database on this disk; its trainer
is the one of its tests, which trains nothing.
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What each is asked to do within a round; the slow ones less, so that a round takes a minute.
TRIALS = {"ranksweep": 4000, "ranksweep, --journal wal": 4000, "Optuna, SQLite": 400, "Optuna, journal file": 800,
          "Ray Tune": 100, "libEnsemble, local": 4000, "libEnsemble, MPI": 4000, "DeepHyper": 400}
DURABLE = {"ranksweep": "each step", "ranksweep, --journal wal": "each step", "Optuna, SQLite": "each step",
           "Optuna, journal file": "each step", "Ray Tune": "now and then", "libEnsemble, local": "no",
           "libEnsemble, MPI": "no", "DeepHyper": "now and then"}
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n"]

SWEEP = """
name: noop
data: {{path: {faces}, image_size: 48}}
grid: {{learning_rate: {rates}}}
training: {{architecture: simple_cnn, training: full, epochs: 1, batch_size: 8, early_stopping: false}}
execution: {{threads: 1}}
"""


def numbers(count):
    return [(i + 1) / count for i in range(count)]


def run_ranksweep(build, folder, trials, ranks, journal):
    """Seconds from the first attempt's row to the end of the last."""
    program = (build / "bin/ranksweep").resolve()
    faces = folder / "faces"
    subprocess.run([program, "make-faces", faces, "--persons", "4", "--size", "48"], check=True,
                   stdout=subprocess.DEVNULL)
    trainer = folder / "trainer.sh"
    trainer.write_text(f'#!/bin/sh\n[ $# -gt 0 ] && exec {program}-trainer "$@"\n'
                       f'exec {(build / "tests/scripted_trainer").resolve()} well\n')
    trainer.chmod(0o755)
    sweep = folder / "sweep.yaml"
    sweep.write_text(SWEEP.format(faces=faces, rates=numbers(trials)))
    database = folder / "results.db"
    subprocess.run([*MPIRUN, str(ranks), program, "run", sweep, "--db", database, "--journal", journal], check=True,
                   env=os.environ | {"RANKSWEEP_TRAINER": str(trainer)}, stdout=subprocess.DEVNULL)
    with sqlite3.connect(database) as connection:
        done, seconds = connection.execute(
            "SELECT count(*), (julianday(max(ended_at)) - julianday(min(begun_at))) * 86400 "
            "FROM attempt WHERE outcome = 'finished'").fetchone()
    assert done == trials
    return seconds


def optuna_worker(storage_of, count):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.load_study(study_name="noop", storage=storage_of(), sampler=optuna.samplers.RandomSampler())
    study.optimize(lambda trial: trial.suggest_float("learning_rate", 0, 1), n_trials=count)


def run_optuna(storage_of, trials, workers):
    """Several processes that share a storage, as "Easy Parallelization" of its documentation says."""
    import multiprocessing

    import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(study_name="noop", storage=storage_of())
    processes = [multiprocessing.Process(target=optuna_worker, args=(storage_of, trials // workers))
                 for _ in range(workers)]
    begin = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - begin
    done = len(optuna.load_study(study_name="noop", storage=storage_of()).trials)
    return done, seconds, f"RandomSampler, {workers} processes"


def sqlite_storage():
    return "sqlite:///optuna.db"


def journal_storage():
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    return JournalStorage(JournalFileBackend("optuna.log"))


def run_ray(trials, workers):
    import ray
    from ray import tune
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    tuner = tune.Tuner(
        tune.with_resources(lambda config: {"loss": config["learning_rate"]}, {"cpu": 1}),
        param_space={"learning_rate": tune.grid_search(numbers(trials))},
        tune_config=tune.TuneConfig(metric="loss", mode="min", reuse_actors=True),
        run_config=tune.RunConfig(storage_path=os.getcwd(), verbose=0))
    begin = time.perf_counter()
    done = len(tuner.fit())
    return done, time.perf_counter() - begin, f"{workers} CPUs, reuse_actors, grid_search"


def noop_simulation(task):
    import numpy
    result = numpy.zeros(1, dtype=[("loss", float)])
    result["loss"] = task["learning_rate"]
    return result


def run_libensemble(trials, workers, comms):
    import numpy
    from libensemble import Ensemble
    from libensemble.alloc_funcs.give_pregenerated_work import give_pregenerated_sim_work
    from libensemble.specs import AllocSpecs, ExitCriteria, LibeSpecs, SimSpecs
    points = numpy.zeros(trials, dtype=[("learning_rate", float), ("sim_id", int), ("sim_started", bool)])
    points["learning_rate"] = numbers(trials)
    points["sim_id"] = range(trials)
    specs = {"comms": comms, "disable_log_files": True}
    if comms == "local":
        specs["nworkers"] = workers
    ensemble = Ensemble(libE_specs=LibeSpecs(**specs), H0=points,
                        sim_specs=SimSpecs(sim_f=noop_simulation, inputs=["learning_rate"], out=[("loss", float)]),
                        alloc_specs=AllocSpecs(alloc_f=give_pregenerated_sim_work),
                        exit_criteria=ExitCriteria(sim_max=trials))
    begin = time.perf_counter()
    ensemble.run()
    seconds = time.perf_counter() - begin
    if not ensemble.is_manager:
        return None
    settings = f"{workers} workers, give_pregenerated_sim_work, history in memory"
    return int(ensemble.H["sim_ended"].sum()), seconds, settings


def noop_job(job):
    return job.parameters["learning_rate"]


def run_deephyper(trials, workers):
    from deephyper.evaluator import Evaluator
    from deephyper.hpo import HpProblem, RandomSearch
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "learning_rate")
    evaluator = Evaluator.create(noop_job, method="process", method_kwargs={"num_workers": workers})
    search = RandomSearch(problem, log_dir=os.getcwd())
    begin = time.perf_counter()
    done = len(search.search(evaluator, max_evals=trials))
    return done, time.perf_counter() - begin, f"RandomSearch, {workers} processes"


RIVALS = {  # with the package whose version is shown
    "Optuna, SQLite": ("optuna", lambda trials, workers: run_optuna(sqlite_storage, trials, workers)),
    "Optuna, journal file": ("optuna", lambda trials, workers: run_optuna(journal_storage, trials, workers)),
    "Ray Tune": ("ray", run_ray),
    "libEnsemble, local": ("libensemble", lambda trials, workers: run_libensemble(trials, workers, "local")),
    "libEnsemble, MPI": ("libensemble", lambda trials, workers: run_libensemble(trials, workers, "mpi")),
    "DeepHyper": ("deephyper", run_deephyper),
}


def serve_rival(name, trials, workers):
    """In the rivals' Python, in a folder of its own: prints what one run gave."""
    import importlib.metadata
    package, run = RIVALS[name]
    try:
        version = importlib.metadata.version(package)
        if name.endswith("MPI"):
            importlib.metadata.version("mpi4py")
    except importlib.metadata.PackageNotFoundError as missing:
        print(json.dumps({"missing": str(missing)}))
        return
    result = run(trials, workers)
    if result is not None:  # a worker of MPI has none
        done, seconds, settings = result
        print(json.dumps({"rate": done / seconds, "done": done, "version": version, "settings": settings}))


def ask_rival(python, name, folder, workers):
    launcher = [*MPIRUN, str(workers + 1)] if name.endswith("MPI") else []
    done = subprocess.run([*launcher, python, Path(__file__).resolve(), "--rival", name, "--ranks", str(workers)],
                          cwd=folder, text=True, capture_output=True)
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not answers:
        return {"missing": "failed: " + (done.stderr.strip().splitlines() or ["no output"])[-1]}
    return json.loads(answers[-1])


def measure(name, build, tuners, ranks):
    with tempfile.TemporaryDirectory() as folder:
        if name in RIVALS:
            return ask_rival(tuners, name, folder, ranks) if tuners else {"missing": "no --tuners was given"}
        journal = "wal" if "wal" in name else "rollback"
        seconds = run_ranksweep(build, Path(folder), TRIALS[name], ranks, journal)
        version = subprocess.run([build / "bin/ranksweep", "--version"], text=True, capture_output=True).stdout
        return {"rate": TRIALS[name] / seconds, "done": TRIALS[name], "version": version.split()[-1],
                "settings": f"{ranks} ranks, --journal {journal}"}


def summary(runs):
    if "missing" in runs[-1]:
        return runs[-1]
    rates = [run["rate"] for run in runs]
    return runs[-1] | {"rate": statistics.median(rates), "least": min(rates), "largest": max(rates)}


def print_table(results):
    print(f"{'':<26} {'version':<10} {'trials':>7} {'a second':>9} {'least':>9} {'largest':>9}  durable       settings")
    for name, result in results.items():
        if "missing" in result:
            print(f"{name:<26} missing: {result['missing']}")
            continue
        print(f"{name:<26} {result['version']:<10} {result['done']:>7} {result['rate']:>9.1f} {result['least']:>9.1f} "
              f"{result['largest']:>9.1f}  {DURABLE[name]:<13} {result['settings']}")
    measured = {name: result["rate"] for name, result in results.items() if name in RIVALS and "rate" in result}
    for what, names in (("", measured), (" that keeps each step", [n for n in measured if DURABLE[n] == "each step"])):
        if names:
            best = max(names, key=measured.get)
            for ours in (name for name in results if name not in RIVALS):
                print(f"{ours}: {results[ours]['rate'] / measured[best]:.2f} times the best rival{what} ({best})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, nargs="?", default=Path("build/release"))
    parser.add_argument("--tuners", help="a Python that has the rivals")
    parser.add_argument("--ranks", type=int, default=8, help="workers of each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=list(TRIALS), help="of the table's names; all by default")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rival", help=argparse.SUPPRESS)  # how it calls itself
    options = parser.parse_args()
    if options.rival:
        serve_rival(options.rival, TRIALS[options.rival], options.ranks)
        return
    names = options.only or list(TRIALS)
    runs = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            if not (runs[name] and "missing" in runs[name][-1]):
                runs[name].append(measure(name, options.build, options.tuners, options.ranks))
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    results = {name: summary(each) for name, each in runs.items()}
    print_table(results)
    if options.json:
        options.json.write_text(json.dumps(
            {"machine": platform.platform(), "cores": os.cpu_count(), "ranks": options.ranks, "rounds": options.rounds,
             "python": platform.python_version(), "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
