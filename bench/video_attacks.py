"""What happens to videos: codecs, cuts, turns, other times, sites, screens, frames.

Every attack reads a video file and writes another, or some pictures, by the command
ffmpeg on one thread. What is edited is encoded again, as an editor or a site does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

__all__ = ["ATTACKS", "CURVE", "FRAMES", "GROUPS", "Footage", "change", "run", "x264"]

FRAMES = 4
"""Pictures that are taken out of a clip."""

EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p"
EDITED = 20  # CRF
AROUND_S = 2.0  # of other footage, before and after what is spliced in
NOISE = "noise=alls=12:allf=t"
LOGO = "drawbox=x=iw*0.66:y=ih*0.03:w=iw*0.31:h=ih*0.32:color=white:t=fill"
DESKTOP = "pad=iw*1.25:ih*1.3:iw*0.1:ih*0.12:color=0x2b2b2b"


@dataclass(frozen=True)
class Footage:
    """A clip to be attacked.

    Parameters
    ----------
    path : Path
    other : Path
        Unmarked footage to put beside it.
    width, height : int
        Size of a frame as it is shown.
    frame_rate : float
    frames : int
    seconds : float
    """

    path: Path
    other: Path
    width: int
    height: int
    frame_rate: float
    frames: int
    seconds: float


Attack = Callable[[Footage, Path], list[Path]]
"""Takes what is attacked and a folder; returns the files that it made there."""


def change(name: str, footage: Footage, folder: Path) -> list[Path]:
    """Run an attack in a folder of its own; return the files that came out."""
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return ATTACKS[name](footage, folder)


def run(*words: str | Path) -> None:
    """Run ffmpeg.

    Raises
    ------
    RuntimeError
        It failed; the last line that it wrote tells why.
    """
    quiet = ("ffmpeg", "-nostdin", "-v", "error", "-y", "-filter_threads", "1")
    done = subprocess.run([*quiet, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg: {done.stderr.strip().splitlines()[-1:]}")


def x264(crf: int) -> tuple[str, ...]:
    """Return the options that encode H.264."""
    preset = ("-preset", "veryfast", "-threads", "1")
    return ("-c:v", "libx264", "-crf", str(crf), *preset)


def _encoded(
    footage: Footage, folder: Path, filters: str = "", *, options: tuple[str, ...] = ()
) -> list[Path]:
    """Filter the pictures, and encode what comes out."""
    target = folder / "out.mkv"
    filters = filters.format(fps=footage.frame_rate)
    chain = f"{EVEN},{filters},{EVEN}" if filters else EVEN
    options = options or x264(EDITED)
    run(*("-i", footage.path, "-map", "0:v:0", "-an", "-vf", chain), *options, target)
    return [target]


def _codec(*options: str) -> Attack:
    return partial(_encoded, options=options)


def _edit(filters: str) -> Attack:
    return partial(_encoded, filters=filters)


def _trimmed(footage: Footage, folder: Path) -> list[Path]:
    """Cut one second out of the middle."""
    start = max(0.0, footage.seconds / 2 - 0.5)
    cut = f"trim=start={start}:duration=1,setpts=PTS-STARTPTS"
    return _encoded(footage, folder, cut)


def _pictures(crf: int) -> Attack:
    """Return what compresses a clip and saves some of its frames as pictures."""

    def attack(footage: Footage, folder: Path) -> list[Path]:
        (whole,) = _encoded(footage, folder, options=x264(crf))
        step = max(1, footage.frames // FRAMES)
        chosen = f"select='eq(mod(n\\,{step})\\,{step // 2})'"
        output = ("-fps_mode", "passthrough", "-frames:v", str(FRAMES))
        run("-i", whole, "-vf", chosen, *output, folder / "frame%d.png")
        whole.unlink()
        return sorted(folder.glob("frame*.png"))

    return attack


def _platforms(footage: Footage, folder: Path) -> list[Path]:
    """Load up to one site, take it from there, and load it up to the next."""
    middle, target = folder / "middle.mp4", folder / "out.mkv"
    rate = min(30.0, footage.frame_rate)
    sites = (
        (footage.path, f"{_reduced(720)},fps={rate:.6f}", 28, middle),
        (middle, _reduced(540), 30, target),
    )
    for source, filters, crf, to in sites:
        chain = f"{EVEN},{filters},{EVEN}"
        run(*("-i", source, "-map", "0:v:0", "-an", "-vf", chain), *x264(crf), to)
    middle.unlink()
    return [target]


def _reduced(short: int) -> str:
    """Return the filter that reduces the short side, if it is longer."""
    ratio = f"min(1\\,{short}/min(iw\\,ih))"
    return f"scale=iw*{ratio}:ih*{ratio}:flags=bicubic"


def _inside(footage: Footage, folder: Path) -> list[Path]:
    """Lay a clip over a quarter of the area of another one."""
    width, height = (side // 4 * 4 for side in (footage.width, footage.height))
    graph = (
        f"[1:v]scale={width}:{height},setsar=1[whole];"
        f"[0:v]scale={width // 2}:{height // 2},setsar=1[part];"
        f"[whole][part]overlay=W*0.45:H*0.4:shortest=1,{EVEN}[out]"
    )
    return _joined(footage, folder, graph, EDITED)


def _spliced(footage: Footage, folder: Path) -> list[Path]:
    """Put a clip between two seconds of another one and two more."""
    width, height = (side // 2 * 2 for side in (footage.width, footage.height))
    same = (
        f"scale={width}:{height},setsar=1,fps={footage.frame_rate:.6f},"
        "format=yuv420p,setpts=PTS-STARTPTS"
    )
    graph = (
        "[1:v]split[x][y];"
        f"[x]trim=0:{AROUND_S},{same}[before];[0:v]{same}[part];"
        f"[y]trim={AROUND_S}:{2 * AROUND_S},{same}[after];"
        "[before][part][after]concat=n=3:v=1:a=0[out]"
    )
    return _joined(footage, folder, graph, 23)


def _joined(footage: Footage, folder: Path, graph: str, crf: int) -> list[Path]:
    target = folder / "out.mkv"
    repeated = ("-stream_loop", "-1", "-i", footage.other)
    words = ("-filter_complex", graph, "-map", "[out]", "-an")
    run("-i", footage.path, *repeated, *words, *x264(crf), target)
    return [target]


_H265 = ("-preset", "veryfast", "-x265-params", "pools=1:frame-threads=1:log-level=1")
_VP9 = ("-b:v", "0", "-deadline", "good", "-cpu-used", "5", "-threads", "1")
_AV1 = ("-preset", "8", "-svtav1-params", "lp=1")
_CODECS: dict[str, Attack] = {
    f"h264_{crf}": _codec(*x264(crf)) for crf in (18, 23, 28, 33, 38, 43)
}

GROUPS: dict[str, dict[str, Attack]] = {
    "none": {"identity": lambda footage, folder: [footage.path]},
    "codec": {
        **{name: _CODECS[name] for name in ("h264_18", "h264_23", "h264_28")},
        "h265_28": _codec("-c:v", "libx265", "-crf", "28", *_H265),
        "vp9_36": _codec("-c:v", "libvpx-vp9", "-crf", "36", *_VP9),
        "av1_40": _codec("-c:v", "libsvtav1", "-crf", "40", *_AV1),
    },
    "hard codec": {"h264_33": _CODECS["h264_33"]},
    "geometry": {
        "crop_80": _edit("crop=iw*0.8944:ih*0.8944:iw*0.07:ih*0.03"),
        "crop_50": _edit("crop=iw*0.7071:ih*0.7071:iw*0.19:ih*0.09"),
        "scale_0.5": _edit("scale=iw/2:ih/2:flags=bicubic"),
        "360p": _edit(_reduced(360)),
        "aspect_0.8": _edit("scale=iw*0.8:ih,setsar=1"),
        "rotate_5": _edit("rotate=5*PI/180"),
        "rotate_90": _edit("transpose=1"),
        "flip": _edit("hflip"),
        "letterbox": _edit("pad=iw:ih*4/3:0:(oh-ih)/2"),
    },
    "time": {
        "fps_0.8": _edit("fps={fps}*0.8"),
        "fps_0.5": _edit("fps={fps}*0.5"),
        "drop_10": _edit("select='mod(n\\,10)-3',setpts=N/({fps}*TB)"),
        "double_10": _edit("fps={fps}*1.1"),
        "speed_0.8": _edit("setpts=PTS/0.8"),
        "speed_1.25": _edit("setpts=PTS/1.25"),
        "trim_1": _trimmed,
    },
    "value": {
        "brightness": _edit("eq=brightness=0.12"),
        "contrast": _edit("eq=contrast=0.7"),
        "gamma": _edit("eq=gamma=1.5"),
        "noise": _edit(NOISE),
        "blur": _edit("gblur=sigma=1.5"),
        "logo": _edit(LOGO),
    },
    "platforms": {"platforms": _platforms},
    "screen": {
        "screen": partial(
            _encoded,
            filters=f"fps=60,scale=iw*0.7:-2:flags=bilinear,{DESKTOP},"
            "noise=alls=3:allf=t,fps=30",
            options=x264(28),
        )
    },
    "inside": {"inside": _inside},
    "frame": {"frame_23": _pictures(23), "frame_28": _pictures(28)},
    "splice": {"splice": _spliced},
}
"""Names carry their parameters: CRF, percent of the area, factors, degrees, seconds."""

ATTACKS = _CODECS | {
    name: run for group in GROUPS.values() for name, run in group.items()
}

CURVE = tuple(_CODECS)
"""One codec from mild to hard."""
