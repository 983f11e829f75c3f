"""The short pages that people read, in English and Chinese.

A page is plain text: a line for the verdict, a line for each layer, a line for each
disagreement. Everything on it is in the JSON document too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .model import (
    EXEMPT,
    UNSUPPORTED,
    Evidence,
    Finding,
    LabelResult,
    Layer,
    LayerResult,
    Media,
    Propagation,
    Report,
    State,
    to_dict,
)
from .words import WORDS, Words

__all__ = [
    "LANGUAGES",
    "finding_line",
    "label_page",
    "printable",
    "propagation_page",
    "report_page",
]

LANGUAGES = ("en", "zh")
MOST_SPANS = 8
MOST_LIKES = 3


def report_page(report: Report, language: str = "en") -> str:
    """Return the page of a detection."""
    words = WORDS[language]
    lines = [f"{report.file or '-'}: {words[report.verdict]}"]
    lines += [
        _line(words, one.layer, _evidence(words, one, report.media))
        for one in report.evidence
    ]
    lines += [finding_line(finding, language) for finding in report.findings]
    if report.verdict == "none":
        lines.append(f"  {words['none.note']}")
    return "\n".join(map(printable, lines))


def label_page(result: LabelResult, language: str = "en") -> str:
    """Return the page of a labeling."""
    words = WORDS[language]
    status = words["labeled" if result.complete else "incomplete"]
    lines = [f"{result.target or result.source or '-'}: {status}"]
    lines += [
        _line(words, one.layer, _written(words, one, result.media))
        for one in result.layers
    ]
    lines += [f"  * {note}" for note in result.notes]
    return "\n".join(map(printable, lines))


def propagation_page(result: Propagation, language: str = "en") -> str:
    """Return the page of a propagation."""
    words = WORDS[language]
    name = result.target or result.source or "-"
    if result.label is None:
        return printable(f"{name}: {words['none']}")
    lines = [f"{name}: {words['propagated']}, {words[result.verdict]}"]
    for one in result.layers:
        if one.layer is Layer.AIGC:
            text = words["aigc.propagated"].format(**to_dict(result.label))
        else:
            text = _written(words, one, result.media)
        lines.append(_line(words, one.layer, text))
    lines += [f"  * {note}" for note in result.notes]
    return "\n".join(map(printable, lines))


def printable(text: str) -> str:
    """Escape what would break a line or steer a terminal: files bring such texts."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _line(words: Words, layer: Layer, text: str) -> str:
    # A Chinese character takes two columns.
    name = words[layer]
    columns = sum(2 if ord(character) > 0x2E80 else 1 for character in name)
    return f"  {name}{' ' * (12 - columns)}{text}"


def finding_line(finding: Finding, language: str = "en") -> str:
    """Return the line of a page that tells a finding."""
    words = WORDS[language]
    return f"  ! {words[finding.kind]}: {words[finding.layer]}: {words[finding.reason]}"


def _evidence(words: Words, evidence: Evidence, media: Media) -> str:
    key = f"{evidence.layer}.{evidence.state}"
    if evidence.layer is Layer.NOTICE and media is Media.TEXT:
        key = "notice.placed" if evidence.state is State.PRESENT else "notice.unread"
    if evidence.layer is Layer.NOTICE and media is Media.AUDIO:
        key = "notice.heard" if evidence.state is State.PRESENT else "notice.unheard"
    if key == "notice.present" and media is Media.VIDEO:
        key = "notice.seen"
    like = evidence.detail.get("notice_like")
    if key == "notice.absent" and like is not None:
        key = "notice.other" if like else "notice.unlike"
    if key not in words:
        return words[evidence.state]
    text = words[key].format(**_facts(words, evidence))
    if evidence.layer is Layer.C2PA:
        text += _past(words, evidence.detail) + _recovered(words, evidence.detail)
    return text + (_likes(words, like) if like else "")


def _facts(words: Words, evidence: Evidence) -> dict[str, Any]:
    """Return what the line of a layer names."""
    detail = evidence.detail
    if evidence.layer is Layer.NOTICE and detail.get("notices"):
        first, *others = detail["notices"]
        faults = ", ".join(words[fault] for fault in first.get("faults", ()))
        return {
            **first,
            "height": first.get("height_fraction"),
            "where": words.get(f"at.{first.get('place')}"),
            "faults": faults and f" ({faults})",
            "again": _again(words, others),
        }
    if evidence.layer is Layer.MARK and detail:
        payload = detail["payload"]
        return {
            "hex": payload and payload["hex"],
            "p": detail["p_value"],
            "count": len(detail["keys"]),
            "where": _geometry(words, detail["transform"])
            + _spans(words, detail.get("spans")),
        }
    if evidence.layer is Layer.AIGC:
        return {
            **(detail.get("label") or {}),
            "spread": _spread(words, detail.get("label")),
            "seals": "".join(_seals(words, detail.get("seals", ()))),
            "problems": ", ".join(detail.get("problems", ())),
            "count": len(detail.get("places", ())),
        }
    if evidence.layer is Layer.IPTC:
        types = detail.get("source_types", ())
        return {"types": ", ".join(value.rsplit("/", 1)[-1] for value in types)}
    if evidence.layer is Layer.C2PA and detail:
        return {
            "signer": detail["signer_name"] or detail["signer_organization"] or "?",
            "failures": ", ".join(detail["failures"]),
            "detail": detail["detail"],
        }
    if evidence.layer is Layer.RECORD and evidence.state is State.PRESENT:
        return {**detail, "same": _same(words, detail)}
    return {}


def _same(words: Words, detail: Mapping[str, Any]) -> str:
    """Say whether a record is of this file, and if not, of what it shows."""
    how = "same" if detail["same_bytes"] else detail["found_by"]
    told = words[how] if how in ("same", "original", "fingerprint") else ""
    likeness = detail.get("likeness")
    if likeness and likeness["same"] is not None:
        key = "alike" if likeness["same"] else "differs"
        told += words[key].format(**likeness)
    return told


def _past(words: Words, detail: Mapping[str, Any]) -> str:
    """Name what a file was made from that had been changed after it was signed."""
    changed = [one["title"] for one in detail.get("ingredients", ()) if one["changed"]]
    return words["changed_before"].format(titles=", ".join(changed)) if changed else ""


def _recovered(words: Words, detail: Mapping[str, Any]) -> str:
    """Tell of the manifest that something else led to, or why it could not."""
    if problem := detail.get("registry_problem"):
        return words["registry_problem"].format(problem=problem)
    found = detail.get("recovered")
    if not found:
        return ""
    by = found["by"] if found["by"] in ("payload", "fingerprint") else "other"
    how = words[f"by.{by}"]
    if found["registry"]:
        how += words["from"].format(registry=found["registry"])
    state = found["state"] if found["state"] in ("trusted", "untrusted") else "broken"
    signer = found["signer_name"] or found["signer_organization"] or "?"
    told = words["recovered"].format(how=how, signer=signer)
    return told + words[f"recovered.{state}"]


def _spread(words: Words, label: Mapping[str, str] | None) -> str:
    """Name the platform that spreads an item, where it is not its producer."""
    if not label or not label["content_propagator"]:
        return ""
    if label["content_propagator"] == label["content_producer"]:
        return ""
    return words["spread"].format(**label)


def _seals(words: Words, seals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for seal in seals:
        how = "known" if seal["known"] else seal["integrity"]
        if f"seal.{how}" in words:
            algorithm = seal["algorithm"].upper()
            role = words[seal["role"]]
            yield words[f"seal.{how}"].format(role=role, algorithm=algorithm)


def _likes(words: Words, notices: Sequence[Mapping[str, Any]]) -> str:
    likes = "; ".join(
        words["like"].format(
            text=one["text"],
            height=one["height_fraction"],
            form="" if one["as_ruled"] else words["looser"],
        )
        for one in notices[:MOST_LIKES]
    )
    return words["notice.like"].format(likes=likes)


def _geometry(words: Words, transform: Mapping[str, Any] | None) -> str:
    if transform is None:
        return ""
    angle = transform["rotation_deg"]
    text = words["rotated"].format(angle=angle) if abs(angle) >= 0.1 else ""
    return text + (words["flipped"] if transform["flipped"] else "")


def _spans(words: Words, spans: Sequence[Sequence[float]] | None) -> str:
    if not spans:
        return ""
    shown = ", ".join(f"{start:.1f}-{end:.1f}" for start, end in spans[:MOST_SPANS])
    more = " ..." if len(spans) > MOST_SPANS else ""
    return words["spans"].format(spans=shown + more)


def _again(words: Words, notices: Sequence[Mapping[str, Any]]) -> str:
    times = [notice["start_s"] for notice in notices if "start_s" in notice]
    if not times:
        return ""
    shown = ", ".join(f"{start:.1f}" for start in times[:MOST_SPANS])
    more = " ..." if len(times) > MOST_SPANS else ""
    return words["again"].format(times=shown + more)


def _written(words: Words, result: LayerResult, media: Media) -> str:
    if not result.written:
        why = words.get(result.reason, result.reason)
        meant = result.reason in (EXEMPT, UNSUPPORTED)
        return why if meant else words["missing"].format(why=why)
    detail = dict(result.detail)
    detail["types"] = detail.get("source_type", "").rsplit("/", 1)[-1]
    detail["where"] = _spans(words, detail.get("spans"))
    key = f"{result.layer}.written"
    if result.layer is Layer.NOTICE and media is Media.TEXT:
        key = "notice.placed"
        place = detail["place"] if isinstance(detail["place"], str) else "middle"
        detail["where"] = words[f"at.{place}"]
    if result.layer is Layer.NOTICE and media is Media.AUDIO:
        key = "notice.spoken"
        detail["again"] = _again(words, detail["again"])
    if "view" in detail:
        key = "notice.viewed"
    if result.layer is Layer.MARK and media is not Media.IMAGE:
        key = "mark.timed"
    text = words[key].format(**detail)
    return f"{text}, {words['development']}" if detail.get("development") else text
