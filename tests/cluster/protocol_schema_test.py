"""Holds cluster/trainer_protocol.schema.json to the messages that the code writes, with a validator that is not ours.

Usage: protocol_schema_test.py SOURCE_DIR PRINT_MESSAGES
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


def main():
    source, program = Path(sys.argv[1]), sys.argv[2]
    schema = json.loads((source / "cluster/trainer_protocol.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in printed.splitlines()]

    failures = [f"{message}: {error.message}" for message in messages for error in validator.iter_errors(message)]
    kinds = {reference["$ref"].rsplit("/", 1)[1] for side in ("command", "report")
             for reference in schema["$defs"][side]["oneOf"]}
    if kinds != {message["type"] for message in messages}:
        failures.append(f"the schema knows {kinds}, the code {[message['type'] for message in messages]}")
    for message in messages:  # what is required is required, and nothing else
        for name in message:
            without = {key: value for key, value in message.items() if key != name}
            required = name in schema["$defs"][message["type"]]["required"]
            if validator.is_valid(without) == required:
                failures.append(f"{message['type']} without {name} is {'accepted' if required else 'refused'}")

    print(f"{len(messages)} messages")
    print("\n".join(failures))
    sys.exit(bool(failures))


main()
