"""Time and memory of videos of 1080 lines."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import video_attacks
from clock import timed
from video_reads import GLIMPSES, search

from synthmark import Key, Payload
from synthmark.labeling.marks.video_writer import VideoWriter, plan
from synthmark.labeling.media import video as media

__all__ = ["Cost", "cost"]

LINES = 1080
CRF = 20

# The peak of a process is known from its own list of facts (Linux).
PEAK = """
import re, sys, time
import synthmark
key = synthmark.Key.from_bytes(bytes(range(32)))
payload = synthmark.Payload(issuer=1, serial=1)
start = time.process_time()
{call}
spent = time.process_time() - start
peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())
print(spent, int(peak[1]) / 1024)
"""
EMBED = "synthmark.embed_video(sys.argv[1], sys.argv[2], payload, key)"
DETECT = "synthmark.detect_video(sys.argv[1], key)"


@dataclass(frozen=True)
class Cost:
    """What a clip takes.

    Parameters
    ----------
    mark, embed, detect, search : float
        Frames a second of CPU time: the mark alone; with decoding and encoding; found
        upright; looked for in vain.
    embed_mb, detect_mb : float or None
        Peak memory of the process in MiB; None where the system does not tell.
    """

    width: int
    height: int
    frames: int
    mark: float
    embed: float | None
    detect: float
    search: float
    embed_mb: float | None
    detect_mb: float | None


def cost(path: Path, folder: Path, seconds: float) -> Cost:
    """Scale a video to a short side of 1080 pixels, mark it, and read it."""
    plain, marked = folder / "plain.1080.mp4", folder / "marked.1080.mp4"
    ratio = f"{LINES}/min(iw\\,ih)"
    scaled = f"scale=iw*{ratio}:ih*{ratio},{video_attacks.EVEN}"
    words = ("-i", path, "-t", f"{seconds:g}", "-map", "0:v:0", "-an", "-vf", scaled)
    video_attacks.run(*words, *video_attacks.x264(CRF), plain)
    video = media.describe(plain)
    key, payload = Key.from_bytes(bytes(range(32))), Payload(issuer=1, serial=1)
    samples = [frame.luma.copy() for frame in media.glimpses(plain, video, GLIMPSES)]
    transfer = video.transfer
    tried = plan(samples, payload, key, transfer=transfer)
    size = (video.height, video.width)
    writer = VideoWriter(*size, payload, key, transfer=transfer, plan=tried)
    frames, mark_ms = 0, 0.0
    for frame in media.frames(plain, video):
        luma = frame.luma.copy()
        mark_ms += timed(writer.mark, luma, frame.time_s)[1]
        frames += 1
    embed_s, embed_mb = _alone(EMBED, plain, marked)
    _, detect_mb = _alone(DETECT, marked)
    _, detect_ms = timed(search, marked, [key])
    _, search_ms = timed(search, plain, [key])
    for file in (plain, marked):
        file.unlink()
    return Cost(
        width=video.width,
        height=video.height,
        frames=frames,
        mark=1000 * frames / mark_ms,
        embed=None if embed_s is None else frames / embed_s,
        detect=1000 * frames / detect_ms,
        search=1000 * frames / search_ms,
        embed_mb=embed_mb,
        detect_mb=detect_mb,
    )


def _alone(call: str, *files: Path) -> tuple[float | None, float | None]:
    """Run a call in a process of its own; return its CPU time and peak memory."""
    if not Path("/proc/self/status").exists():
        return None, None
    code = PEAK.format(call=call)
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=True
    )
    spent, peak = map(float, done.stdout.split())
    return spent, peak
