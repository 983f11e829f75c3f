"""A new AIGC label in a finished file; nothing of its content changes.

A manifest in the file does not fit it any more with another label. It becomes the
parent of a new one; a file without a manifest gets none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import ManifestError, UnsupportedFormat
from .media import animation, heif, svg
from .media.document import document_source, open_document
from .media.probe import probe
from .media.source import lent_stream, load
from .metadata import image as of_picture
from .metadata import stream as of_stream
from .metadata import text as of_text
from .metadata.image import Reading
from .model import AigcLabel, State
from .provenance import manifest as seals
from .provenance.manifest import Claim, ManifestReading
from .provenance.signer import Signer
from .provenance.text import read_text, sign_text, store_of, unwrapped
from .records.stored import StoredManifest

__all__ = ["Relabeling"]

_TEXTS = ("txt", "md")


@dataclass(slots=True, kw_only=True)
class Relabeling:
    """Puts one label into one file.

    Parameters
    ----------
    label : AigcLabel
        The label.
    claim : Claim
        What a new manifest says.
    signer : Signer
        Who signs it.

    Attributes
    ----------
    place : str
        Where the label stands in the file.
    manifest : StoredManifest or None
        The new manifest of a file that had one before.
    notes : list of str
        What a careful user wants to know.
    """

    label: AigcLabel
    claim: Claim
    signer: Signer
    place: str = ""
    manifest: StoredManifest | None = None
    store: bytes = b""
    notes: list[str] = field(default_factory=list)

    def run(self, source: str | Path | bytes, target: Path) -> None:
        """Write the file with the new label.

        Parameters
        ----------
        source : str, Path or bytes
            A picture, sound, video or document, or its bytes.
        target : Path
            Where to.

        Raises
        ------
        SynthmarkError
            It cannot be read, has no place for a label, or the result does not read
            back.
        """
        if whole := self._whole(source):
            target.write_bytes(whole)
            return
        with lent_stream(source) as stream:
            if stream is not None:
                self._stream(*stream, target)
                return
        content = load(source).content
        assert content is not None
        target.write_bytes(self._picture(content, probe(content).media_type))

    def _whole(self, source: str | Path | bytes) -> bytes | None:
        """Return a document, drawing or odd picture with the new label."""
        if document := document_source(source):
            content, format = document
            if format == "svg":
                return self._picture(content, svg.MEDIA_TYPE)
            return self._document(content, format)
        if moving := animation.animation_source(source):
            return self._picture(moving, f"image/{animation.read(moving).format}")
        if undrawn := heif.heif_source(source):
            return self._picture(undrawn, heif.read(undrawn).media_type)
        return None

    def _picture(self, content: bytes, media_type: str) -> bytes:
        written = of_picture.write(content, self.label, source_type=None)
        self._note(written.place, written.notes)
        if not self._has_history(content, media_type):
            return written.content
        signed, self.store = seals.sign(
            written.content,
            media_type,
            self.claim,
            self.signer,
            parent=content,
        )
        self._check(seals.read(signed, media_type), of_picture.read(signed))
        return signed

    def _stream(self, source: Path, is_video: bool, target: Path) -> None:
        with TemporaryDirectory(prefix=".synthmark-", dir=target.parent) as folder:
            tagged = Path(folder) / "tagged"
            written = of_stream.write(source, tagged, self.label)
            self._note(written.place, written.notes)
            if not self._has_history(source):
                tagged.replace(target)
                return
            with open(tagged, "rb") as plain, open(target, "w+b") as signed:
                self.store = seals.sign_stream(
                    plain,
                    signed,
                    _media_type(source, is_video),
                    self.claim,
                    self.signer,
                    parent=source,
                )
        self._check(seals.read(target), of_stream.read(target))

    def _document(self, original: bytes, format: str) -> bytes:
        is_text = format in _TEXTS
        document = open_document(unwrapped(original) if is_text else original, format)
        if document.locked:
            problem, hint = document.locked
            raise UnsupportedFormat(problem, hint=hint)
        if not document.field_place:
            raise UnsupportedFormat(
                f"a document of the format {format} has no place for an AIGC label",
                hint="Convert it to a format that has, such as Markdown.",
            )
        document = document.with_field(of_text.NAME, of_text.value(self.label))
        self._note(document.field_place, ())
        history = read_text(original) if is_text else None
        if history is not None:
            if history.state in (State.ABSENT, State.MALFORMED):
                self._lost(history)
                return document.content
            signed = sign_text(
                document.content,
                document.media_type,
                self.claim,
                self.signer,
                parent=original,
            )
            self.store = store_of(signed)
            self._check(read_text(signed), self._fields(unwrapped(signed), format))
            return signed
        if not self._has_history(original):
            return document.content
        signed, self.store = seals.sign(
            document.content,
            document.media_type,
            self.claim,
            self.signer,
            parent=original,
        )
        self._check(seals.read(signed), self._fields(signed, format))
        return signed

    def _fields(self, content: bytes, format: str) -> Reading:
        fields = open_document(content, format).fields(of_text.NAME)
        return of_text.read([(one.place, one.value) for one in fields])

    def _has_history(
        self, original: bytes | Path, media_type: str | None = None
    ) -> bool:
        if not seals.has_manifest(original, media_type):
            return False
        reading = seals.read(original, media_type)
        self._lost(reading)
        return reading.state is not State.MALFORMED

    def _lost(self, reading: ManifestReading) -> None:
        if reading.state is State.MALFORMED:
            self.notes.append("the C2PA manifest is unreadable and was left as it was")
        elif reading.state is State.TAMPERED:
            self.notes.append("the file was changed after its manifest was signed")

    def _note(self, place: str, notes: Iterable[str]) -> None:
        self.place = place
        # That the label before is replaced is what all this is for.
        self.notes += (one for one in notes if not one.startswith("an earlier AIGC"))

    def _check(self, sealed: ManifestReading, metadata: Reading) -> None:
        """Read manifest and label of the finished file back."""
        if sealed.state not in (State.TRUSTED, State.UNTRUSTED):
            raise ManifestError(
                f"the signed file does not verify: {', '.join(sealed.failures)}"
            )
        if (
            metadata.state is not State.PRESENT
            or metadata.labels[0].label != self.label
        ):
            raise ManifestError("signing changed the AIGC label")
        self.manifest = StoredManifest(
            manifest_id=sealed.manifest_id, content=self.store
        )


def _media_type(path: Path, is_video: bool) -> str:
    if is_video:
        from .media import video

        return video.describe(path).media_type
    from .media import audio

    return audio.describe(path).media_type
