"""Libraries that want more than their share of the machine."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synthmark.labeling.media import video
from synthmark.labeling.media.priority import keeping_priority

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has the classes")


def classes() -> set[int]:
    """Return the scheduling classes of all threads of this process."""
    return {os.sched_getscheduler(int(one)) for one in os.listdir("/proc/self/task")}


def test_threads_fall_back_into_the_class_of_their_process() -> None:
    usual, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    end = threading.Event()
    worker = threading.Thread(target=end.wait)
    try:
        with keeping_priority():
            # Unlike real-time classes, everybody may choose this one.
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            worker.start()
            assert os.SCHED_BATCH in classes()
        assert classes() == {usual}
    finally:
        end.set()
        worker.join()
        os.sched_setscheduler(0, usual, parameter)


def test_encoding_takes_no_real_time_priority(
    make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_clip("a.mp4", encoder="libsvtav1")
    usual = classes()
    seen = set()
    video.write(
        tmp_path / "b.mp4",
        source,
        video.describe(source),
        lambda frame: seen.update(classes()),
    )
    assert seen == classes() == usual
    assert not usual & {os.SCHED_FIFO, os.SCHED_RR}
