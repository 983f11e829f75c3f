"""The priority of threads, which a library must not raise for a whole machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["keeping_priority"]


@contextmanager
def keeping_priority() -> Iterator[None]:
    """Take back real-time priority that code inside gives to threads of this process.

    SVT-AV1, run by root, puts its own threads and the one that opens it into the
    highest real-time class of Linux: until it has ended nothing else may get to run,
    and every process that is started later inherits that.
    """
    if sys.platform != "linux":
        yield
        return
    usual, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    before = set(os.listdir("/proc/self/task"))
    try:
        yield
    finally:
        own = {"0"} | (set(os.listdir("/proc/self/task")) - before)
        for thread in own:
            with suppress(OSError):  # it has ended
                if os.sched_getscheduler(int(thread)) != usual:
                    os.sched_setscheduler(int(thread), usual, priority)
