"""The command that holds files against the rules, and its page."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from . import batch
from .console import DAMAGED, DONE, NOT_KEPT, AsJson, errors, home, run
from .options import (
    Anchors,
    AsLines,
    Inputs,
    Jurisdictions,
    MarkKeys,
    Recursive,
    Service,
    content_of,
    detector_of,
)
from .page import finding_line, printable
from .policy_view import value_text

if TYPE_CHECKING:
    from .checking import Checked, CheckReport

__all__ = ["WHY", "check", "check_page"]

_SIGNS = {"pass": "ok", "fail": "FAIL", "open": "-"}
WHY = {
    "absent": "there is none",
    "absent_though_marked": "it is gone: the mark is there",
    "damaged": "it is damaged",
    "untrusted": "intact, but no trusted root vouches for the signer",
    "exempt": "left out on request, as the record says",
    "no_notice": "there is no notice to look at",
    "no_key": "not looked for: no key",
    "no_log": "no log was given",
    "not_in_log": "not in the log that was given",
    "unsupported": "cannot be in a file of this kind",
    "not_in_file": "the file cannot tell",
    "not_set": "none is set: synthmark filing set",
    "not_in_force": "not in force yet",
}
"""What an outcome rests on, in words: by `checking.Why`."""


def check(
    inputs: Inputs,
    service: Service = "other",
    jurisdiction: Jurisdictions = None,
    recursive: Recursive = False,
    mark_key: MarkKeys = None,
    anchors: Anchors = None,
    as_json: AsJson = False,
    as_lines: AsLines = False,
) -> None:
    """Hold labeled files against the rules, clause by clause."""
    places = tuple(jurisdiction or ["cn"])
    with errors():
        from .checking import check as check_report
        from .policy import due

        due(service, places)  # what cannot be meant is told before the first file
        jobs = [
            batch.Job(path) for path, _ in batch.collect(inputs, recursive=recursive)
        ]
        own = home()
        detector, filing = (
            detector_of(own, mark_key, anchors, personal=True),
            own.filing(),
        )
    run(
        jobs,
        lambda job: check_report(
            detector.detect(content_of(job.source)), service, places, filing
        ),
        code=_code,
        page=check_page,
        as_json=as_json,
        as_lines=as_lines,
    )


def _code(report: CheckReport) -> int:
    if report.findings:
        return DAMAGED
    return DONE if report.passed else NOT_KEPT


def check_page(report: CheckReport) -> str:
    """Return the page of a check."""
    places = ", ".join(report.jurisdictions)
    status = "keeps the rules" if report.passed else "DOES NOT KEEP THE RULES"
    lines = [
        f"{report.file or '-'}: {status} ({report.service}, {places}, {report.medium})"
    ]
    for place, checks in groupby(
        sorted(report.checks, key=lambda one: _order(report, one)),
        lambda one: one.rule.jurisdiction,
    ):
        lines.append(f"  {place}")
        lines += [_line(one) for one in checks]
    lines += map(finding_line, report.findings)
    return "\n".join(map(printable, lines))


def _order(report: CheckReport, one: Checked) -> int:
    places = report.jurisdictions
    place = one.rule.jurisdiction
    return places.index(place) if place in places else len(places)


def _line(one: Checked) -> str:
    from .rulebook import ASKS, Kind

    ask = ASKS[one.rule.asks]
    wanted = value_text(one.rule.asks, one.rule.value)
    found = WHY[one.why] if one.why else ""
    if isinstance(one.measured, str) or (
        one.measured is not None and ask.kind is not Kind.FLAG
    ):
        shown = _shown(one.rule.asks, one.measured)
        found = f"{shown}; {found}" if found else shown
    text = f"    {_SIGNS[one.outcome]:<5}{ask.title}: {wanted}"
    return (
        f"{text}: {found} [{one.rule.reference}]"
        if found
        else (f"{text} [{one.rule.reference}]")
    )


def _shown(asks: str, measured: Any) -> str:
    match asks:
        case "height":
            return f"{measured:.1%}"
        case "height_px":
            return f"{measured:.0f} pixels"
        case "contrast":
            return f"{measured:.1f}:1"
        case "seconds":
            return f"{measured:.1f} s"
        case "elements" | "letters":
            return f"“{measured}”"
        case _:
            return measured if isinstance(measured, str) else _listed(measured)


def _listed(measured: Any) -> str:
    if isinstance(measured, int | float):
        return f"{measured:g}"
    return ", ".join(map(str, measured)) or "none"
