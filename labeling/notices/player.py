"""The notice around a player, which the file itself cannot show.

The Measures for Labeling AI-Generated Synthetic Content, Art. 4(4), ask for a prompt
around the player of a video beside the one in its first frame.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from .plate import DARK, MARGIN, Color
from .video import VideoNotice
from .wording import segments

__all__ = ["PlayerNotice", "surround"]

_RULES = ("GB 45438-2025, 5.4", "Measures for Labeling AI-Generated Content, Art. 4(4)")

# What makes an ideograph and a capital of usual fonts as tall as the notice must be.
_IDEOGRAPH_EM = 1 / 0.86
_LATIN_EM = 1 / 0.69

_STYLE = """\
.synthmark{margin:0 auto;width:min(100%,86vh*RATIO);
font-family:"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif}
.synthmark-screen{position:relative;aspect-ratio:RATIO;container-type:size;
background:#000;border-radius:10px 10px 0 0;overflow:hidden}
.synthmark-screen video{display:block;width:100%;height:100%}
.synthmark-over{position:absolute;SIDES;padding:.5em .62em;border-radius:.5em;
font-size:max(HEIGHTcqmin,9px);line-height:1;pointer-events:none;
background:PLATE;color:INK;backdrop-filter:blur(.3em);
box-shadow:inset 0 0 0 max(1px,.023em) HAIRLINE;text-align:center;white-space:nowrap}
.synthmark-over p{margin:0;font-size:IDEOGRAPHem;font-weight:500}
.synthmark-over span{font-size:LATINem}
.synthmark-over small{display:block;margin-top:.45em;font-size:.64em;opacity:.84}
.synthmark-around{display:flex;align-items:center;gap:.6em;padding:.7em .9em;
font-size:max(15px,1rem);line-height:1.3;background:#f3f3f5;color:#18191c;
border-radius:0 0 10px 10px}
.synthmark-around::before{content:"";flex:none;width:.22em;height:1.2em;
border-radius:.11em;background:currentcolor}
.synthmark-around small{font-size:.86em;opacity:.8}
@media(prefers-color-scheme:dark){
.synthmark-around{background:#232428;color:#f3f3f5}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerNotice:
    """The notice around a player.

    Parameters
    ----------
    snippet : str
        HTML with its style: the player, the text below it, and over it on demand. It
        refers to nothing but the clip and runs no script.
    page : str
        The same as a whole page.
    description : dict
        Wording, places and times for other players, ready for JSON.
    """

    snippet: str
    page: str
    description: dict[str, Any]


def surround(
    notice: VideoNotice, source: str, *, width: int, height: int, over: bool = False
) -> PlayerNotice:
    """Return what shows a notice around the player of a clip.

    The text below the player stays, whatever the clip shows. In full screen a player
    hides it; the notice on the frames is for that.

    Parameters
    ----------
    notice : VideoNotice
        The notice.
    source : str
        Address of the clip as seen from the page.
    width, height : int
        Of the frame as it is shown.
    over : bool, optional
        Whether it is laid over the picture as well: for a clip without a notice on
        its frames.

    Returns
    -------
    PlayerNotice
        HTML and a description.

    Raises
    ------
    UsageError
        The size cannot be meant.
    """
    if min(width, height) < 1:
        raise UsageError(f"a frame cannot have {width} x {height} pixels")
    text, translation = segments(notice.text)
    small = (
        f'<small lang="en">{html.escape(translation)}</small>' if translation else ""
    )
    laid = (
        f'\n<div class="synthmark-over"><p>{_sized(text)}</p>{small}</div>'
        if over
        else ""
    )
    style = _style(notice, width, height)
    snippet = f"""\
<figure class="synthmark" lang="zh">
<style>
{style}</style>
<div class="synthmark-screen">
<video src="{html.escape(source)}" controls playsinline></video>{laid}
</div>
<figcaption class="synthmark-around">{html.escape(text)}{small}</figcaption>
</figure>
"""
    return PlayerNotice(
        snippet=snippet,
        page=f"""\
<!doctype html>
<html lang="zh">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{html.escape(text)}</title>
{snippet}</html>
""",
        description={
            "text": text,
            "translation": translation,
            "around": {"place": "below", "start_s": 0.0, "end_s": None},
            "over": {
                "corner": notice.corner,
                "margin_fraction": MARGIN * notice.height_fraction,
                "height_fraction": notice.height_fraction,
                "start_s": 0.0,
                "end_s": notice.seconds,
            },
            "frame": {"width": width, "height": height},
            "rules": list(_RULES),
        },
    )


def _sized(text: str) -> str:
    """Return a text with its Latin letters set apart, as they are set larger."""
    parts = re.split(r"([!-~À-ÿ]+)", text)
    return "".join(
        f"<span>{html.escape(part)}</span>" if index % 2 else html.escape(part)
        for index, part in enumerate(parts)
    )


def _style(notice: VideoNotice, width: int, height: int) -> str:
    vertical, horizontal = notice.corner.split("-")
    lift = "max(76px,12cqh)" if vertical == "bottom" else f"{MARGIN}em"
    values = {
        "RATIO": f"{width}/{height}",
        "SIDES": f"{vertical}:{lift};{horizontal}:{MARGIN}em",
        "HEIGHT": f"{100 * notice.height_fraction:.2f}",
        "PLATE": _color(DARK.plate, DARK.plate_opacity),
        "INK": _color(DARK.ink, 1),
        "HAIRLINE": _color(DARK.hairline, DARK.hairline_opacity),
        "IDEOGRAPH": f"{_IDEOGRAPH_EM:.3f}",
        "LATIN": f"{_LATIN_EM / _IDEOGRAPH_EM:.3f}",
    }
    return re.sub("|".join(values), lambda found: values[found[0]], _STYLE)


def _color(color: Color, opacity: float) -> str:
    return f"rgb({color[0]} {color[1]} {color[2]}/{opacity:.0%})"
