"""What a file is by its first bytes."""

from __future__ import annotations

import re

from ..errors import DamagedMedia, MediaError, UnsupportedFormat
from .encoding import looks_like_text

__all__ = ["PACKAGE", "document_kind", "refusal", "sound_kind", "video_kind"]

PACKAGE = "package"
"""Documents that are ZIP archives, which only what is in them tells apart."""

# What else a file may turn out to be: where its signature stands, and its name. The
# first match counts.
_OTHERS = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"GIF8[79]a", "a GIF picture"),
        (rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]", "a TIFF picture"),
        (rb"BM.{4}\0{4}", "a BMP picture"),
        (rb"\0\0[\x01\x02]\0", "an icon or cursor"),
        (rb"8BPS", "a Photoshop document"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture"),
        (rb".{4}ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", "a HEIC picture"),
        (rb".{4}ftypavi[fs]", "an AVIF picture"),
        (rb".{4}ftypqt  ", "a QuickTime video"),
        (rb".{4}ftypM4A ", "an M4A sound"),
        (rb".{4}ftyp", "an MP4 video"),
        (rb"\x1aE\xdf\xa3", "a Matroska or WebM video"),
        (rb"FLV\x01", "an FLV video"),
        (rb"RIFF.{4}AVI ", "an AVI video"),
        (rb"(RIFF|RF64|BW64).{4}WAVE", "a WAV sound"),
        (rb"FORM.{4}AIF[FC]", "an AIFF sound"),
        (rb"fLaC", "a FLAC sound"),
        (rb"OggS", "an Ogg sound or video"),
        (rb"ID3|\xff[\xf2\xf3\xfa\xfb]", "an MP3 sound"),
        (rb"%PDF-", "a PDF document"),
        (rb"PK(\x03\x04|\x05\x06)", "a ZIP archive or office document"),
        (rb"\x1f\x8b", "a gzip archive"),
        (rb"Rar!\x1a\x07", "a RAR archive"),
        (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (rb"SQLite format 3\0", "an SQLite database"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted office document"),
        (rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<svg", "an SVG drawing"),
        (rb"(?i)(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head|<body)", "an HTML page"),
        (rb"(\xef\xbb\xbf)?\s*<\?xml", "an XML document"),
        (rb"[\t\n\r\x20-\x7e]+\Z", "a text"),
    )
)
# What is read when its name says so.
_NAMED = {"an HTML page": ".html", "a text": ".txt"}
# The sounds that are handled. An MP4 file of a general brand may hold sound alone.
_SOUNDS = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"(RIFF|RF64|BW64).{4}WAVE", "wav"),
        (rb"FORM.{4}AIF[FC]", "aiff"),
        (rb"fLaC", "flac"),
        (rb"OggS.{22}.(.{1,255}?)OpusHead", "opus"),
        (rb"OggS.{22}.(.{1,255}?)(\x01vorbis|\x7fFLAC)", "ogg"),
        (rb".{4}ftyp(M4A |M4B |M4P |mp4[12]|isom|iso[2-9]|dash|MSNV|avc1)", "m4a"),
        (rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][^\xf0-\xff]", "mp3"),
    )
)
# The videos that are handled, single pictures included.
_VIDEOS = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb".{4}ftyp(avi[fs]|hei[cmsx]|hev[cmsx]|mif1|msf1|crx |jx[ls] )", ""),
        (rb".{4}ftyp(M4A |M4B |M4P )", ""),
        (rb".{4}ftypqt  |.{4}(moov|mdat|wide)", "mov"),
        (rb".{4}ftypM4V", "m4v"),
        (rb".{4}ftyp", "mp4"),
        (rb"\x1aE\xdf\xa3.{0,64}?B\x82.webm", "webm"),
        (rb"\x1aE\xdf\xa3", "mkv"),
        (rb"RIFF.{4}AVI ", "avi"),
        (rb"FLV\x01", "flv"),
        (rb"G.{187}G.{187}G|.{4}G.{191}G.{191}G", "ts"),
        (rb"GIF8[79]a", "gif"),
        (rb"\x89PNG\r\n\x1a\n", "png"),
        (rb"\xff\xd8\xff", "jpeg"),
        (rb"RIFF.{4}WEBP", "webp"),
    )
)

# How pages begin, with comments in front, and what else is written in tags.
_HTML = re.compile(
    r"\s*(<\?xml[^>]*>\s*|<!--(?:(?!-->).)*-->\s*)*<(!doctype\s+html|html|head|body)\b",
    re.DOTALL | re.IGNORECASE,
)
_SVG = re.compile(
    r"\s*+(?>(?:<\?[^>]*+>|<!--(?>(?:(?!-->).)*+)-->|<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\]\s*+)?>)\s*+)*+"
    r"<(?:[\w.-]++:)?svg[\s/>]",
    re.DOTALL,
)
_TAGS = re.compile(r"\s*<[?!\w]")
_XML = re.compile(r"\s*<(\?xml|svg)\b")
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*\n)?[\"']?AIGC[\"']?[ \t]*:", re.DOTALL)


def sound_kind(head: bytes) -> str | None:
    """Name the sound that begins like this; None if it is none that is handled."""
    return next((name for pattern, name in _SOUNDS if pattern.match(head)), None)


def video_kind(head: bytes) -> str | None:
    """Name the video or picture that begins like this; None if it is neither."""
    found = next((name for pattern, name in _VIDEOS if pattern.match(head)), None)
    return found or None


def document_kind(head: bytes, named: str | None = None) -> str | None:
    """Name the document that begins like this; None if it is none that is handled.

    Parameters
    ----------
    head : bytes
        Its beginning, or all of it.
    named : str, optional
        The format that its name tells. Texts are told apart by it.
    """
    if re.match(rb"(\xef\xbb\xbf)?\s*%PDF-", head):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return PACKAGE
    texts = named if named in ("txt", "md", "html") else None
    if not looks_like_text(head):
        # A text in an unknown encoding is told better when it is decoded.
        known = any(pattern.match(head) for pattern, _ in (*_OTHERS, *_VIDEOS))
        return None if known or not head else texts
    text = _shown(head)
    # What stands in front of a drawing may be longer than what is looked at.
    if texts is None and (_SVG if named != "svg" else _TAGS).match(text):
        return "svg"
    if _HTML.match(text):
        return texts or "html"
    if _XML.match(text) and texts != "txt":
        return None
    return texts or ("md" if _FRONT_MATTER.match(text) else "txt")


def refusal(
    head: bytes, noun: str, *, starts: tuple[bytes, ...], hint: str
) -> MediaError:
    """Return the error that says what a file is instead, as far as its beginning tells.

    Parameters
    ----------
    head : bytes
        The beginning of the file, or all of it.
    noun : str
        What it should be, with an article.
    starts : tuple of bytes
        How files begin that tell more only further on.
    hint : str
        What to do about it.
    """
    if not head:
        return DamagedMedia("the file is empty")
    if len(head) < 12 and head.startswith(starts):
        return DamagedMedia("the file is cut off after its first bytes")
    for pattern, name in _OTHERS:
        if pattern.match(head):
            if name.endswith("archive"):
                hint = "Unpack it first."
            ending = _NAMED.get(name)
            if ending is not None:
                hint = f"If that is what it should be, end its name in {ending}."
            return UnsupportedFormat(f"the file is {name}", hint=hint)
    return UnsupportedFormat(f"the file is not {noun} of a known kind", hint=hint)


def _shown(head: bytes) -> str:
    """Return the ASCII in the beginning of a text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[2:].replace(b"\0", b"")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
