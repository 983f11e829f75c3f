"""Check: does what a file holds satisfy what the rules ask for, clause by clause.

Each clause is held against what was read from the file. What a file cannot tell, and
what nobody must do, stays open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .facts import NOTICE_ASKS, TOLERANCES, fields_of, medium_of, notice_facts
from .filing import Filing
from .model import (
    SCHEMA_VERSION,
    Evidence,
    Finding,
    Layer,
    Report,
    State,
    Verdict,
    to_dict,
)
from .policy import LAYERS, Due, due
from .rulebook import ASKS, Kind, Rule

__all__ = ["CheckReport", "Checked", "Outcome", "Why", "check"]


class Outcome(StrEnum):
    """How a clause fares."""

    PASS = "pass"
    FAIL = "fail"
    OPEN = "open"


class Why(StrEnum):
    """What an outcome rests on where there is nothing to be measured."""

    ABSENT = "absent"
    ABSENT_THOUGH_MARKED = "absent_though_marked"
    DAMAGED = "damaged"
    UNTRUSTED = "untrusted"
    EXEMPT = "exempt"
    NO_NOTICE = "no_notice"
    NO_KEY = "no_key"
    NO_LOG = "no_log"
    NOT_IN_LOG = "not_in_log"
    UNSUPPORTED = "unsupported"
    NOT_IN_FILE = "not_in_file"
    NOT_SET = "not_set"
    NOT_IN_FORCE = "not_in_force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A clause, and how the file fares by it.

    Parameters
    ----------
    rule : Rule
    outcome : Outcome
    measured : Any
        What the file shows, of JSON types: a number, a text or a list of them; None
        where there is nothing to be measured.
    why : Why or None
        What the outcome rests on instead.
    """

    rule: Rule
    outcome: Outcome
    measured: Any = None
    why: Why | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "jurisdiction": self.rule.jurisdiction,
            "asks": self.rule.asks,
            "value": to_dict(self.rule.value),
            "clause": self.rule.reference,
            "confidence": self.rule.confidence,
            "outcome": self.outcome.value,
            "measured": to_dict(self.measured),
            "why": self.why and self.why.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """How one file fares by the rules of some places.

    Parameters
    ----------
    file : str or None
    service : str
    jurisdictions : tuple of str
    medium : str
        One of `rulebook.MEDIA`.
    verdict : Verdict
        What the layers together say.
    checks : tuple of Checked
        In the order of `ASKS`.
    findings : tuple of Finding
        How the label was interfered with; there must be none (Labeling Measures,
        Art. 10).
    """

    file: str | None
    service: str
    jurisdictions: tuple[str, ...]
    medium: str
    verdict: Verdict
    checks: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no clause fails, and nothing was interfered with."""
        return not self.findings and all(
            one.outcome is not Outcome.FAIL for one in self.checks
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "file": self.file,
            "service": self.service,
            "jurisdictions": list(self.jurisdictions),
            "medium": self.medium,
            "verdict": self.verdict.value,
            "passed": self.passed,
            "checks": [one.to_dict() for one in self.checks],
            "findings": to_dict(self.findings),
        }


def check(
    report: Report,
    service: str = "other",
    jurisdictions: Sequence[str] = ("cn",),
    filing: Filing | None = None,
) -> CheckReport:
    """Hold what was read from a file against the rules of some places.

    Parameters
    ----------
    report : Report
        From `Detector.detect`.
    service : str, optional
        The class of service that made it.
    jurisdictions : sequence of str, optional
        Whose rules apply.
    filing : Filing, optional
        Of the service, where it has one.

    Raises
    ------
    UsageError
        The service or a jurisdiction is unknown.
    """
    medium = medium_of(report)
    asked = due(service, jurisdictions, medium)
    return CheckReport(
        file=report.file,
        service=asked.service.name,
        jurisdictions=tuple(place.name for place in asked.jurisdictions),
        medium=medium,
        verdict=report.verdict,
        checks=tuple(_checks(report, asked, medium, filing)),
        findings=report.findings,
    )


def _checks(
    report: Report, asked: Due, medium: str, filing: Filing | None
) -> Iterator[Checked]:
    today = datetime.now(UTC).date().isoformat()
    notice = _notice_checks(report, asked)
    fields = fields_of(report)
    for rule in asked.rules:
        kind = ASKS[rule.asks].kind
        if kind in (Kind.REMARK, Kind.WORDING):
            continue
        if rule.in_force > today:
            one = _open(rule, Why.NOT_IN_FORCE)
        elif rule.asks in LAYERS:
            if rule.value == "none":
                continue
            one = _layer(rule, report, medium)
        elif rule.asks in NOTICE_ASKS:
            if rule not in notice:
                continue
            one = notice[rule]
        elif rule.asks == "fields":
            there = tuple(name for name in rule.value if name in fields)
            one = _measured(rule, there)
        elif rule.asks == "filing":
            # Who must file is not to be seen from a file.
            one = _open(rule, Why.NOT_SET)
            if filing is not None:
                shown = f"{filing.number}, {filing.link}"
                one = Checked(rule=rule, outcome=Outcome.PASS, measured=shown)
        else:
            one = _by_record(rule, report.layer(Layer.RECORD))
        yield one


def _open(rule: Rule, why: Why) -> Checked:
    return Checked(rule=rule, outcome=Outcome.OPEN, why=why)


def _failed(rule: Rule, why: Why) -> Checked:
    """Return a clause that is not satisfied."""
    return Checked(rule=rule, outcome=_short(rule), why=why)


def _short(rule: Rule) -> Outcome:
    """Return how a rule fares that is not satisfied."""
    return Outcome.FAIL if rule.binding else Outcome.OPEN


def _measured(rule: Rule, found: Any) -> Checked:
    """Return how a rule fares by what was found."""
    tolerance = TOLERANCES.get(rule.asks, 0)
    if rule.allows(found * (1 + tolerance) if tolerance else found):
        return Checked(rule=rule, outcome=Outcome.PASS, measured=found)
    return Checked(rule=rule, outcome=_short(rule), measured=found)


def _notice_checks(report: Report, asked: Due) -> dict[Rule, Checked]:
    """Return how the notice that fares best does by each rule about notices."""
    rules = [rule for rule in asked.rules if rule.asks in NOTICE_ASKS]
    candidates = [
        {
            rule: _measured(rule, facts[rule.asks])
            for rule in rules
            if rule.asks in facts
        }
        for facts in notice_facts(report)
    ]
    if not candidates:
        if asked.level("notice") != "required":
            return {}
        return {rule: _open(rule, Why.NO_NOTICE) for rule in rules}

    def faults(checks: dict[Rule, Checked]) -> int:
        return sum(one.outcome is Outcome.FAIL for one in checks.values())

    return min(candidates, key=faults)


def _layer(rule: Rule, report: Report, medium: str) -> Checked:
    """Return how a rule fares that wants a layer to be there."""
    evidence = report.layer(Layer(rule.asks))
    found = Checked(rule=rule, outcome=Outcome.PASS)
    match evidence.state:
        case State.PRESENT | State.TRUSTED:
            return found
        case State.UNTRUSTED:
            return Checked(rule=rule, outcome=Outcome.PASS, why=Why.UNTRUSTED)
        case State.UNSUPPORTED:
            return _open(rule, Why.UNSUPPORTED)
        case State.NOT_CHECKED:
            return _open(rule, _UNCHECKED.get(evidence.layer, Why.NOT_IN_FILE))
        case State.ABSENT:
            return _absent(rule, evidence, report)
        case _:
            return _failed(rule, Why.DAMAGED)


_UNCHECKED = {Layer.MARK: Why.NO_KEY, Layer.RECORD: Why.NO_LOG}


def _absent(rule: Rule, evidence: Evidence, report: Report) -> Checked:
    marked = report.layer(Layer.MARK).state is State.PRESENT
    record = report.layer(Layer.RECORD)
    if evidence.layer is Layer.RECORD and not marked:
        # It may be in the log of somebody else.
        return _open(rule, Why.NOT_IN_LOG)
    if evidence.layer is Layer.NOTICE:
        if record.detail.get("exemption"):
            return Checked(rule=rule, outcome=Outcome.PASS, why=Why.EXEMPT)
        if marked:
            return _failed(rule, Why.ABSENT_THOUGH_MARKED)
    return _failed(rule, Why.ABSENT)


def _by_record(rule: Rule, record: Evidence) -> Checked:
    """Return how a rule fares by what only the log knows, if anything does."""
    if rule.asks != "consent" or record.state is State.NOT_CHECKED:
        return _open(rule, Why.NOT_IN_FILE)
    if record.state is not State.PRESENT:
        return _open(rule, Why.NOT_IN_LOG)
    reference = record.detail.get("consent")
    if reference:
        return Checked(rule=rule, outcome=Outcome.PASS, measured=reference)
    return _failed(rule, Why.ABSENT)
