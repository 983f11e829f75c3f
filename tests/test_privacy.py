"""What tells of people is hidden; what a detection is about is not."""

from __future__ import annotations

from typing import Any

from synthmark.labeling.grounds import NO_PERSON
from synthmark.labeling.model import Evidence, Layer, State
from synthmark.labeling.privacy import HIDDEN, without_personal


def test_names_of_files_and_people_are_hidden_wherever_they_stand() -> None:
    detail: dict[str, Any] = {
        "title": "anna.jpg",
        "consent": "C-17",
        "target": "anna-out.jpg",
        "exemption": {"recipient": "Anna", "agreement": "A-1"},
        "ingredients": [{"title": "anna.raw", "relationship": "parentOf"}],
        "recovered": {"title": "anna.jpg", "signer_organization": "Acme Ltd"},
        "signer_organization": "Acme Ltd",
        "produce_id": "n1",
    }
    shown = without_personal(
        Evidence(layer=Layer.C2PA, state=State.TRUSTED, detail=detail)
    ).detail
    assert shown == {
        "title": HIDDEN,
        "consent": HIDDEN,
        "target": HIDDEN,
        "exemption": {"recipient": HIDDEN, "agreement": "A-1"},
        "ingredients": [{"title": HIDDEN, "relationship": "parentOf"}],
        "recovered": {"title": HIDDEN, "signer_organization": "Acme Ltd"},
        "signer_organization": "Acme Ltd",
        "produce_id": "n1",
    }


def test_what_is_not_there_is_not_said_to_be_hidden() -> None:
    detail = {"title": "", "consent": None, "exemption": None, "recovered": None}
    evidence = Evidence(layer=Layer.C2PA, state=State.ABSENT, detail=detail)
    assert without_personal(evidence) == evidence
    nobody = Evidence(
        layer=Layer.RECORD, state=State.PRESENT, detail={"consent": NO_PERSON}
    )
    assert without_personal(nobody) == nobody
