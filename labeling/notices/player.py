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
from .place import AUTO, MARGIN
from .plate import DARK, Color
from .video import VideoNotice
from .wording import segments

__all__ = ["PlayerNotice", "surround"]

_RULES = ("GB 45438-2025, 5.4", "Measures for Labeling AI-Generated Content, Art. 4(4)")

# What makes an ideograph and a capital of usual fonts as tall as the notice must be.
_IDEOGRAPH_EM = 1 / 0.86
_LATIN_EM = 1 / 0.69

# Host pages have rules of their own for elements, which must not spoil the notice.
_STYLE = """\
.synthmark,.synthmark *{all:revert}
.synthmark{margin:0 auto;width:min(100%,max(16rem,84vh*var(--synthmark-ratio)));
font:400 1rem/1.35 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,
sans-serif;text-align:start;text-indent:0;
letter-spacing:normal;word-spacing:normal;text-transform:none;white-space:normal}
.synthmark-screen{position:relative;aspect-ratio:var(--synthmark-ratio);
width:100%;min-height:4rem;max-height:84vh;container-type:size;background:#000;
border-radius:10px 10px 0 0;overflow:hidden}
.synthmark-screen>:first-child{position:absolute;inset:0;width:100%;height:100%;
object-fit:contain}
.synthmark-over{position:absolute;box-sizing:border-box;max-width:calc(100% - EDGESem);
padding:.4em .62em;border-radius:.5em;line-height:1.2;pointer-events:none;
background:PLATE;color:INK;backdrop-filter:blur(.3em);
box-shadow:inset 0 0 0 max(1px,.023em) HAIRLINE;text-align:center;
overflow-wrap:anywhere}
.synthmark-over p{margin:0;font-size:IDEOGRAPHem;font-weight:500}
.synthmark-over span{font-size:LATINem;line-height:0;vertical-align:-.07em}
.synthmark-over small{display:block;margin-top:.3em;font-size:.64em;opacity:.84}
@container(max-width:319px) or (max-height:319px){
.synthmark-over small{display:none}}
.synthmark-around{display:flex;gap:.6em;padding:.7em .9em;font-size:max(15px,1rem);
background:#f3f3f5;color:#18191c;border-radius:0 0 10px 10px}
.synthmark-around::before{content:"";flex:none;width:.22em;border-radius:.11em;
background:currentcolor}
.synthmark-around span{display:flex;flex-wrap:wrap;align-items:baseline;
column-gap:.6em;min-width:0;overflow-wrap:anywhere}
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
    notes : tuple of str
        What a careful user wants to know about showing it.
    """

    snippet: str
    page: str
    description: dict[str, Any]
    notes: tuple[str, ...] = ()


def surround(
    notice: VideoNotice,
    address: str,
    *,
    width: int,
    height: int,
    over: bool = False,
    animation: bool = False,
) -> PlayerNotice:
    """Return what shows a notice around the player of a clip.

    The text below the player stays, whatever the clip shows. In full screen a player
    hides it; the notice on the frames is for that.

    Parameters
    ----------
    notice : VideoNotice
        The notice.
    address : str
        Of the clip as seen from the page, a URL.
    width, height : int
        Of the frame as it is shown.
    over : bool, optional
        Whether it is laid over the picture as well: for a clip without a notice on
        its frames. Full screen and picture in picture, which would hide it, are taken
        out of the controls, as far as browsers let a page do that.
    animation : bool, optional
        Whether pages show the clip without a player, as they do with GIF.

    Returns
    -------
    PlayerNotice
        HTML and a description.

    Raises
    ------
    UsageError
        Size or address cannot be meant, or the corner is left open.
    """
    if min(width, height) < 1:
        raise UsageError(f"a frame cannot have {width} x {height} pixels")
    if not address.strip() or not address.isprintable():
        raise UsageError(
            f"{address!a} is not an address",
            hint="Give the URL of the clip as seen from the page.",
        )
    if notice.corner == AUTO:
        raise UsageError(
            "the text over a player cannot look for a calm corner",
            hint="Name one, such as top-left.",
        )
    primary, translation = segments(notice.text)
    text = html.escape(notice.text)
    small = (
        f'\n<small lang="en">{html.escape(translation)}</small>' if translation else ""
    )
    where = f'src="{html.escape(address)}"'
    kept_in = ' controlslist="nofullscreen" disablepictureinpicture' if over else ""
    # The name comes before the player for those who hear the page.
    screen = (
        f'<img {where} alt="{text}">'
        if animation
        else f'<video {where} aria-label="{text}" controls playsinline{kept_in}>'
        "</video>"
    )
    if over:
        screen += f"""
<div class="synthmark-over" style="{_place(notice)}" aria-hidden="true">
<p>{_sized(primary)}</p>{small}
</div>"""
    snippet = f"""\
<figure class="synthmark" style="--synthmark-ratio:{width}/{height}" lang="zh">
<style>
{_style()}</style>
<div class="synthmark-screen">
{screen}
</div>
<figcaption class="synthmark-around"><span>{html.escape(primary)}{small}</span>\
</figcaption>
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
<title>{text}</title>
{snippet}</html>
""",
        description={
            "address": address,
            "text": primary,
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


def _place(notice: VideoNotice) -> str:
    """Return the style of what depends on the notice: its corner and its size."""
    sides = notice.corner.split("-")
    lifts = {"bottom": "max(76px,12cqh)"}
    rules = [f"{side}:{lifts.get(side, f'{MARGIN}em')}" for side in sides]
    if notice.corner in ("top", "bottom"):
        rules.append("left:0;right:0;margin:0 auto;width:fit-content")
    elif notice.corner in ("left", "right"):
        rules.append("top:0;bottom:0;margin:auto 0;height:fit-content")
    rules.append(f"font-size:max({100 * notice.height_fraction:.2f}cqmin,12px)")
    return ";".join(rules)


def _style() -> str:
    """Return the style that all players of a page share."""
    values = {
        "EDGES": f"{2 * MARGIN}",
        "PLATE": _color(DARK.plate, DARK.plate_opacity),
        "INK": _color(DARK.ink, 1),
        "HAIRLINE": _color(DARK.hairline, DARK.hairline_opacity),
        "IDEOGRAPH": f"{_IDEOGRAPH_EM:.3f}",
        "LATIN": f"{_LATIN_EM / _IDEOGRAPH_EM:.3f}",
    }
    return re.sub("|".join(values), lambda found: values[found[0]], _STYLE)


def _color(color: Color, opacity: float) -> str:
    return f"rgb({color[0]} {color[1]} {color[2]}/{opacity:.0%})"
