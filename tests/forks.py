"""Run commands in processes that are forked from one with everything loaded.

Each line of standard input is a request: JSON of the arguments, the folder, the
environment and the three files for the standard streams. The answers are two lines:
the number of the process, and its exit code when it has ended.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys

import cv2
import numpy as np

from synthmark import Home, Key, Payload, cli, detect_image, embed_image
from synthmark.labeling import batch, doctor, pipeline  # noqa: F401
from synthmark.labeling.provenance import sdk

# A pool of threads does not survive a fork.
cv2.setNumThreads(1)

TIMEOUT_S = 100


def main() -> None:
    warm_up()
    gc.freeze()  # what is never collected is never copied
    for line in sys.stdin:
        arguments, folder, environment, files = json.loads(line)
        number = os.fork()
        if number == 0:
            become(folder, environment, files)
            sys.argv = ["synthmark", *arguments]
            try:
                cli.main()
            except SystemExit as end:
                sys.stdout.flush()
                os._exit(int(end.code or 0))  # taking everything down takes long
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)


def warm_up() -> None:
    """Load what is loaded late: compiled kernels, the database, the C2PA library."""
    sdk.load()
    Home("/nowhere").detector()
    key, payload = Key.from_bytes(bytes(32)), Payload(issuer=1, serial=1)
    host = np.random.default_rng(0).integers(80, 170, (256, 256, 3), dtype=np.uint8)
    assert detect_image(embed_image(host, payload, key), key).found
    detect_image(host, key)
    import sqlalchemy  # noqa: F401


def become(folder: str, environment: dict[str, str], files: list[str]) -> None:
    """Take on the surroundings of a request."""
    signal.alarm(TIMEOUT_S)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # not so in background
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, (path, flags) in enumerate(
        zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)
    ):
        os.dup2(os.open(path, flags), number)


main()
