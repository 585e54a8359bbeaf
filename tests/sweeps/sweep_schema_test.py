"""Holds sweeps/sweep.schema.json to the parser with a validator that is not ours.

Usage: sweep_schema_test.py SOURCE_DIR SWEEP_TO_JSON
"""

import json
import subprocess
import sys
from pathlib import Path

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skipped: no Python module jsonschema 4 (apt-get install python3-jsonschema)")
    sys.exit(77)

# Mistakes that lie in what values mean together, in files, or in YAML itself.
BEYOND_A_SCHEMA = {
    "architecture_missing", "architecture_missing_in_include", "base_learning_rate_when_frozen",
    "endless_warmup", "escaped_nul", "exclude_takes_all", "external_trainer_beside_the_sweep",
    "external_trainer_infinite_value", "external_trainer_inputs_missing", "external_trainer_not_executable",
    "external_trainer_not_in_path", "external_trainer_not_there", "fill_value_without_constant",
    "frozen_until_unknown_block", "frozen_until_when_frozen", "images_too_small",
    "momentum_with_adam", "more_devices_than_images", "too_many_trials", "unfreezing_a_full_training", "unfreezing_too_late",
    "torchscript_contradictions", "torchscript_missing", "torchscript_with_weights",
    "weights_are_a_folder", "weights_for_two", "weights_missing", "weights_twice",
}


def read_all(program, paths):
    answer = subprocess.run([program, *paths], check=True, capture_output=True, text=True).stdout
    return {Path(each["path"]): each["content"] for each in map(json.loads, answer.splitlines())}


def main():
    source, program = Path(sys.argv[1]), sys.argv[2]
    schema = json.loads((source / "sweeps/sweep.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    failures = []

    examples = read_all(program, sorted((source / "sweeps/examples").glob("*.yaml")))
    assert examples, "no example sweeps"
    for path, content in examples.items():
        failures += [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(content)]

    bad = {path: content for path, content in
           read_all(program, sorted((source / "tests/sweeps/bad").glob("*.yaml"))).items()
           if content is not None}
    unknown = BEYOND_A_SCHEMA - {path.stem for path in bad}
    assert not unknown, f"no such files: {unknown}"
    for path, content in bad.items():
        if validator.is_valid(content) != (path.stem in BEYOND_A_SCHEMA):
            failures.append(f"{path}: the schema {'accepts' if validator.is_valid(content) else 'refuses'} it")

    print(f"{len(examples)} examples, {len(bad)} mistakes, {len(bad) - len(BEYOND_A_SCHEMA)} of them told by the schema")
    print("\n".join(failures))
    sys.exit(bool(failures))


main()
