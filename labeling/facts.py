"""What a report says about the things that rules ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from .model import Evidence, Layer, Report
from .notices.find import SIZE_TOLERANCE

__all__ = [
    "NOTICE_ASKS",
    "TOLERANCES",
    "Facts",
    "fields_of",
    "medium_of",
    "notice_facts",
]

NOTICE_ASKS = frozenset(
    {
        "height",
        "height_px",
        "contrast",
        "corners",
        "times",
        "seconds",
        "throughout",
        "sound_kinds",
        "speech_rate",
        "rhythm",
        "elements",
        "letters",
        "languages",
        "spoken_languages",
    }
)
"""What rules ask of a notice that is there."""

TOLERANCES = {"height": SIZE_TOLERANCE, "height_px": SIZE_TOLERANCE, "seconds": 0.02}
"""Of what is measured, by its size."""

_EDGE_S = 1.5
"""From the start or end of a sound or video."""
_TOLERANCE_S = 0.25
_GAP_S = 1.0
_IDEOGRAPH = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH = re.compile(r"[A-Za-z]{3}")
# Of the name of a rhythm.
_MORSE = "短长 短短"

Facts = Mapping[str, Any]


def medium_of(report: Report) -> str:
    """Return the medium, as rules name it."""
    return str(report.layer(Layer.NOTICE).detail["extent"]["medium"])


def notice_facts(report: Report) -> list[Facts]:
    """Return what the notices are like, by the names of `ASKS`.

    What is seen on a picture or video must satisfy the rules by itself, so each notice
    stands alone; what is heard or read does so together.
    """
    evidence = report.layer(Layer.NOTICE)
    found = evidence.detail["notices"]
    if not found:
        return []
    extent = evidence.detail["extent"]
    if extent["medium"] == "text":
        return [_read(found)]
    if extent["medium"] == "audio":
        return [_heard(found, extent["duration_s"])]
    if "duration_s" in extent:
        return [_watched(one, extent["duration_s"]) for one in found]
    return [_seen(one) for one in found]


def _words(text: str) -> Facts:
    languages = [
        language
        for language, sign in (("zh", _IDEOGRAPH), ("en", _ENGLISH))
        if sign.search(text)
    ]
    return {"elements": text, "letters": text, "languages": tuple(languages)}


def _seen(notice: Mapping[str, Any]) -> Facts:
    return {
        **_words(notice["text"]),
        "height": round(notice["height_fraction"], 4),
        "height_px": round(notice["ink_height_px"], 1),
        # Of a text in a drawing it is not known.
        **({"contrast": notice["contrast"]} if notice["contrast"] else {}),
        "corners": notice["place"],
    }


def _watched(notice: Mapping[str, Any], duration_s: float) -> Facts:
    start_s, end_s = notice["start_s"], notice["end_s"]
    at_end = end_s >= duration_s - _TOLERANCE_S
    times = [("start", notice["on_first_frame"]), ("end", at_end)]
    return {
        **_seen(notice),
        "times": tuple(name for name, holds in times if holds) or ("middle",),
        "seconds": round(end_s - start_s, 2),
        "throughout": notice["on_first_frame"] and at_end,
    }


def _heard(notices: Sequence[Mapping[str, Any]], duration_s: float) -> Facts:
    spoken = [one for one in notices if one["kind"] == "spoken"]
    facts: dict[str, Any] = {
        "sound_kinds": tuple(dict.fromkeys(one["kind"] for one in notices)),
        "times": tuple(dict.fromkeys(_times(notices, duration_s))),
    }
    if not spoken:  # a rhythm says AI, and nothing else (GB 45438-2025, 5.3)
        return {**facts, "rhythm": _MORSE}
    facts["elements"] = " ".join(one["text"] for one in spoken)
    facts["spoken_languages"] = tuple(dict.fromkeys(one["language"] for one in spoken))
    chinese = [one for one in spoken if one["language"] == "zh"]
    if chinese:
        slowest = max(chinese, key=lambda one: float(one["end_s"] - one["start_s"]))
        letters = len(re.sub(r"\W", "", slowest["text"]))
        minutes = (slowest["end_s"] - slowest["start_s"]) / 60
        facts["speech_rate"] = round(letters / minutes)
    return facts


def _times(notices: Sequence[Mapping[str, Any]], duration_s: float) -> Iterator[str]:
    """Name when notices are heard; one that follows another at once is part of it."""
    runs = [[notices[0]]]
    ordered = sorted(notices, key=lambda one: float(one["start_s"]))
    runs = [[ordered[0]]]
    for before, one in pairwise(ordered):
        if one["start_s"] - before["end_s"] <= _GAP_S:
            runs[-1].append(one)
        else:
            runs.append([one])
    for run in runs:
        if run[0]["start_s"] <= _EDGE_S:
            yield "start"
        elif run[-1]["end_s"] >= duration_s - _EDGE_S:
            yield "end"
        else:
            yield "middle"


def _read(notices: Sequence[Mapping[str, Any]]) -> Facts:
    return {
        **_words(" ".join(one["text"] for one in notices)),
        "times": tuple(dict.fromkeys(one["place"] for one in notices)),
    }


def fields_of(report: Report) -> tuple[str, ...]:
    """Return which of the facts that rules want in metadata are there."""
    label = _part(report.layer(Layer.AIGC), "label")
    c2pa = report.layer(Layer.C2PA)
    sealed = _part(c2pa, "label")
    origin = _part(c2pa, "origin")
    either = label or sealed
    named = bool(origin.get("system"))
    has = {
        "content attribute": bool(label.get("label")),
        "name or code of the producer": bool(label.get("content_producer")),
        "the producer's number of the content": bool(label.get("produce_id")),
        "name or code of the propagator": bool(label.get("content_propagator")),
        "the propagator's number of the content": bool(label.get("propagate_id")),
        "generated or manipulated by AI": bool(c2pa.detail.get("source_types")),
        "system name": named,
        "provider": bool(either.get("content_producer")),
        "time": bool(origin.get("when")),
        "model and version": named and bool(origin.get("version")),
        "kind of edit": bool(origin.get("action")),
        "name of the provider": bool(sealed.get("content_producer")),
        "system name and version": named and bool(origin.get("version")),
        "date and time": bool(origin.get("when")),
        "unique identifier": bool(sealed.get("produce_id")),
        "created or altered": bool(origin.get("action")),
        "unique identifier of the generating resource": named,
    }
    return tuple(name for name, there in has.items() if there)


def _part(evidence: Evidence, name: str) -> Mapping[str, Any]:
    """Return a part of what a layer shows; nothing of one that cannot be trusted."""
    value = evidence.detail.get(name)
    return value if isinstance(value, Mapping) else {}
