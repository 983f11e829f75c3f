"""What a label says, who says it, and how it shall look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from . import policy
from .errors import MetadataError, UsageError
from .grounds import Exemption, reference
from .keys import Key
from .metadata.aigc import to_json
from .metadata.integrity import signed
from .metadata.label_key import LabelKey
from .metadata.provider import ProviderCode, looks_like_code
from .model import AigcLabel
from .notices.audio import AudioNotice
from .notices.insertion import Place, check_place
from .notices.logo import Logo
from .notices.text import CORNER_MARK, TextNotice
from .notices.video import VideoNotice
from .notices.wording import WORDINGS, check_wording
from .payload import Payload
from .provenance.assertions import Disclosure, training_assertion
from .provenance.signer import Signer

if TYPE_CHECKING:
    from .records.store import RecordStore

__all__ = ["CHAPTERS", "DEVELOPMENT_PRODUCER", "UNNAMED", "Settings"]

DEVELOPMENT_PRODUCER = "synthmark-development"

UNNAMED: Final = "unnamed generator"
"""Of a system that nobody has named."""

CHAPTERS: Final = "chapters"
"""At the start of a sound, and of each of its chapters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a label says, who says it, and with which key and log.

    Parameters
    ----------
    key : Key
        The secret of the invisible mark.
    signer : Signer
        Who signs the manifest.
    records : RecordStore or None
        The log that each labeled file is entered into.
    producer : str
        Name or code of the generating provider (27 characters, TC260-PG-20252A).
    label_key : LabelKey or None
        Signs the AIGC label itself (TC260-PG-202511A); None leaves it without.
    issuer : int
        Number of the provider in the payload, 0 to 1,048,575.
    service : str
        Class of service of Provisions Art. 17.
    jurisdictions : tuple of str
        Whose rules apply.
    wording : str
        Language of a standard wording, or the wording of the notice itself; in
        pictures, videos and texts.
    corner : str or None
        Edge or corner of the notice in a picture or video, or ``"auto"``. None for the
        corner that the rules name; where they leave it open, the usual one or a calmer.
    safe_area : str or None
        What the notice keeps free at the sides of a picture or video, one of
        `SAFE_AREAS`; None for nothing in pictures, the controls of players in videos.
    vertical : bool
        Whether the notice of a picture or video is set in a column.
    logo : Logo or None
        Stands beside it where there is room.
    sound_notice : str
        Notice in a sound (GB 45438-2025, 5.3): ``"spoken"``, ``"round"`` for a short
        one in each round of a conversation, or ``"rhythm"``.
    notice_at : "start", "end", "chapters" or float
        Where in a sound it is heard; a number is seconds from its start, and "chapters"
        is its start and, in short, that of each chapter. In a text, where it stands; a
        number is the share of the text before it, 0 to 1.
    text_style : str
        Notice in a text (GB 45438-2025, 5.1): ``"line"``, or ``"corner"`` for raised
        letters that say AI.
    notice_seconds : float or None
        How long the notice of a video stands, at least 2 s; None is the whole clip.
    encoding : dict
        For videos: ``codec``, ``crf`` and ``preset`` of the encoder, as far as they
        shall not be those that suit the source.
    software_agent : str
        Name of the system that generated the content.
    software_agent_version : str
        Its version, which California wants in the manifest (SB 942, 22757.3).
    model_identifier : str
        Address or package URL of its model (C2PA 2.4, ``c2pa.ai-disclosure``).
    oversight : str or None
        How far people took part, one of `OVERSIGHT`; None does not tell.
    training : tuple of (str, str) or None
        What may be learned from the content, one of `TRAINING_USES`, and its terms;
        None does not tell.
    consent : str or None
        Reference of the consent of whoever's face or voice is edited, or `NO_PERSON`.
    exemption : Exemption or None
        Why there is no notice; None for one.
    sidecar : bool
        Whether the manifest of a file that has no place for one stands beside it, under
        its name with the ending ``.c2pa``.
    progress : callable or None
        Told about each second of a video, how many seconds are done and how many
        there are.

    Raises
    ------
    UsageError
        A value cannot be meant.
    """

    key: Key
    signer: Signer
    records: RecordStore | None
    producer: str = DEVELOPMENT_PRODUCER
    label_key: LabelKey | None = None
    issuer: int = 0
    service: str = "other"
    jurisdictions: tuple[str, ...] = ("cn",)
    wording: str = "en"
    corner: str | None = None
    safe_area: str | None = None
    vertical: bool = False
    logo: Logo | None = None
    sound_notice: str = "spoken"
    notice_at: Place | Literal["chapters"] = "start"
    text_style: str = "line"
    notice_seconds: float | None = None
    encoding: Mapping[str, Any] = field(default_factory=dict)
    software_agent: str = UNNAMED
    software_agent_version: str = ""
    model_identifier: str = ""
    oversight: str | None = None
    training: tuple[str, str] | None = None
    consent: str | None = None
    exemption: Exemption | None = None
    sidecar: bool = False
    progress: Callable[[float, float], object] | None = field(
        default=None, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        Payload(issuer=self.issuer, serial=0)
        check_wording(self.text)
        self.due.refuse("letters", "image", self.text, "Write them in the wording.")
        if self.notice_at != CHAPTERS:
            check_place(self.notice_at)
        _ = self.audio_notice, self.video_notice, self._text_notice("start")
        _ = self.disclosure
        if self.training is not None:
            training_assertion(*self.training)
        self._check_grounds()
        if looks_like_code(self.producer):
            role = ProviderCode.parse(self.producer).role
            if role != "producer":
                raise UsageError(
                    f"{self.producer} is the code of a {role}",
                    hint="The 23rd character is 1 for who generates.",
                )
        try:
            to_json(self.aigc("0"))
        except MetadataError as error:
            raise UsageError(error.problem, hint=error.hint) from error

    def _check_grounds(self) -> None:
        """Refuse what needs a consent and has none, and what no rule exempts."""
        due = self.due
        if self.consent is not None:
            reference(self.consent, "the consent")
        elif due.consent:
            rule = next(rule for rule in due.rules if rule.asks == "consent")
            raise UsageError(
                f"the service {self.service} needs the consent of whoever's face or "
                f"voice is edited ({rule.reference})",
                hint="Name it with --consent, or say --no-real-person.",
            )
        if self.exemption is not None:
            if self.records is None:
                raise UsageError(
                    "an item without a notice needs a log that keeps why",
                    hint="Give records, or leave the exemption away.",
                )
            for place in self.jurisdictions:
                if place not in due.exempting:
                    raise UsageError(
                        f"the rules of {place} exempt nobody from the notice",
                        hint="Leave --without-notice away.",
                    )

    @property
    def due(self) -> policy.Due:
        """What the rules ask for."""
        return policy.due(self.service, self.jurisdictions)

    @property
    def text(self) -> str:
        """The wording of the notice itself, standard ones as the places need them."""
        if self.wording not in WORDINGS:
            return self.wording
        return WORDINGS["en" if "en" in self.due.languages else self.wording]

    @property
    def audio_notice(self) -> AudioNotice:
        """The notice of a sound."""
        short = self.sound_notice == "round"
        kind = "spoken" if short else self.sound_notice
        return AudioNotice(kind=kind, language=self.due.spoken_language, short=short)

    @property
    def text_notice(self) -> TextNotice:
        """The notice of a text."""
        return self._text_notice(self.notice_at)

    def _text_notice(self, place: str | float) -> TextNotice:
        text = CORNER_MARK if self.text_style == "corner" else self.text
        return TextNotice(text=text, place=place, style=self.text_style)

    @property
    def video_notice(self) -> VideoNotice:
        """The notice of a video."""
        due = self.due
        return VideoNotice(
            corner=self.corner or due.corner("video"),
            text=self.text,
            height_fraction=due.notice_height,
            seconds=self.notice_seconds,
            safe_area=self.safe_area or "player",
            vertical=self.vertical,
            logo=self.logo,
        )

    @property
    def disclosure(self) -> Disclosure | None:
        """What the manifest says of the model; None where nothing is known of it."""
        named = self.software_agent != UNNAMED
        if not (named or self.model_identifier or self.oversight):
            return None
        return Disclosure(
            name=self.software_agent if named else "",
            identifier=self.model_identifier,
            oversight=self.oversight or "",
        )

    def aigc(self, produce_id: str) -> AigcLabel:
        """Return the AIGC label of an item.

        At the first writing the producer is its own propagator (annex E, note 1).
        """
        label = AigcLabel(
            label="1",
            content_producer=self.producer,
            produce_id=produce_id,
            content_propagator=self.producer,
            propagate_id=produce_id,
        )
        return label if self.label_key is None else signed(label, self.label_key)
