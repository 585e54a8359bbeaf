#!/usr/bin/env python3
"""Runs a trainer and writes down what it and its agent say: trainer_recorder.py FILE COMMAND [ARGUMENT...]"""

import select
import socket
import subprocess
import sys

agent = socket.socket(fileno=3)
ours, its = socket.socketpair()
# The shell moves the socket to the descriptor at which a trainer expects it.
trainer = subprocess.Popen(["sh", "-c", f'exec "$@" 3<&{its.fileno()}', "sh", *sys.argv[2:]], pass_fds=[its.fileno()])
its.close()
partial = {agent: b"", ours: b""}
with open(sys.argv[1], "ab", buffering=0) as record:
    while True:
        for source in select.select(list(partial), [], [])[0]:
            received = source.recv(65536)
            if not received:
                ours.close()
                sys.exit(trainer.wait())
            (ours if source is agent else agent).sendall(received)
            *lines, partial[source] = (partial[source] + received).split(b"\n")
            for line in lines:
                record.write(line + b"\n")
