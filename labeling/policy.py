"""What the rules ask for, as data, each number with its source.

Decisions about sizes and places stand here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import UsageError

__all__ = ["JURISDICTIONS", "SERVICES", "Due", "Jurisdiction", "Service", "due"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A class of service of the Deep Synthesis Provisions, Art. 17."""

    name: str
    clause: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """The rules of one place.

    Parameters
    ----------
    notice_height : float
        Least ink height of the notice's required characters, as a share of the
        picture's shortest side.
    notice_corner : str
        Where the notice stands unless the caller says otherwise.
    video_corner : str
        The same in videos: clear of the controls of players.
    spoken_language : str
        Of the spoken notice in sounds.
    clauses : tuple of str
        Where the numbers come from.
    """

    name: str
    notice_height: float
    notice_corner: str
    video_corner: str
    spoken_language: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due for one item."""

    service: Service
    jurisdictions: tuple[Jurisdiction, ...]
    notice_height: float
    notice_corner: str
    video_corner: str
    spoken_language: str


SERVICES = {
    service.name: service
    for service in (
        Service(
            name="dialogue",
            clause="Provisions Art. 17(1)",
            description="chat and writing in a person's manner",
        ),
        Service(
            name="voice",
            clause="Provisions Art. 17(2)",
            description="synthetic, cloned or imitated voice",
        ),
        Service(
            name="face",
            clause="Provisions Art. 17(3)",
            description="faces and people: generation, swap, posture",
        ),
        Service(
            name="scene",
            clause="Provisions Art. 17(4)",
            description="immersive realistic scenes",
        ),
        Service(
            name="other",
            clause="Provisions Art. 17(5) and Art. 17, last paragraph",
            description="everything else that is generated or edited",
        ),
    )
}

JURISDICTIONS = {
    jurisdiction.name: jurisdiction
    for jurisdiction in (
        Jurisdiction(
            name="cn",
            notice_height=0.05,
            notice_corner="bottom-right",
            video_corner="top-left",
            # An English notice lacks the second of the elements of 5.3 b).
            spoken_language="zh",
            clauses=(
                "Deep Synthesis Provisions Art. 16 and 17",
                "Labeling Measures Art. 4 (exported files carry the explicit label) "
                "and Art. 5 (implicit label in the file metadata; digital watermark "
                "encouraged)",
                "GB 45438-2025 5.2 (edge or corner, height at least 5 % of the "
                "shortest side), 5.3 (voice or rhythm at the start, the end or a "
                "middle point of a sound), 5.4 (on the first frame and for 2 s, height "
                "as in 5.2) and 6.1 (one metadata label)",
            ),
        ),
    )
}


def due(service: str = "other", jurisdictions: Sequence[str] = ("cn",)) -> Due:
    """Return what is due for an item; the strictest of several places.

    Raises
    ------
    UsageError
        The service or a jurisdiction is unknown; the message lists the known ones.
    """
    if service not in SERVICES:
        raise UsageError(
            f"unknown service {service!r}", hint=f"Known are {', '.join(SERVICES)}."
        )
    unknown = [name for name in jurisdictions if name not in JURISDICTIONS]
    if unknown or not jurisdictions:
        raise UsageError(
            f"unknown jurisdiction {', '.join(map(repr, unknown)) or '(none given)'}",
            hint=f"Known are {', '.join(JURISDICTIONS)}.",
        )
    places = tuple(JURISDICTIONS[name] for name in jurisdictions)
    return Due(
        service=SERVICES[service],
        jurisdictions=places,
        notice_height=max(place.notice_height for place in places),
        notice_corner=places[0].notice_corner,
        video_corner=places[0].video_corner,
        spoken_language=places[0].spoken_language,
    )
