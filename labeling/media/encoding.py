"""Text as bytes: which encoding it is in, without a change to a single byte."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from ..errors import DamagedMedia, UnsupportedFormat

__all__ = ["Encoding", "decode", "looks_like_text"]

# The longer ones first: the mark of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# No text has them; every other kind of file does.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
# Western text makes two-byte characters too, but mostly rare ones.
_LEAST_COMMON = 0.6
_SAMPLE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a text stands in its file.

    Parameters
    ----------
    name : str
        Python's name of the encoding.
    mark : bytes
        The byte order mark in front, if there is one.
    """

    name: str = "utf-8"
    mark: bytes = b""

    def encode(self, text: str, errors: str = "strict") -> bytes:
        """Return the bytes of a text, mark included.

        Raises
        ------
        UnsupportedFormat
            The encoding has no such characters.
        """
        try:
            return self.mark + text.encode(self.name, errors)
        except UnicodeEncodeError as error:
            missing = error.object[error.start]
            raise UnsupportedFormat(
                f"the encoding of the text ({self.name}) has no {missing!r}",
                hint="Save it as UTF-8 first.",
            ) from error


def decode(content: bytes, declared: str | None = None) -> tuple[str, Encoding]:
    """Decode a text; encoding the result again gives the same bytes.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a mark, UTF-16 with one, or GB 18030.
    declared : str, optional
        The encoding that the text itself names; a mark is believed more.

    Raises
    ------
    UnsupportedFormat
        It is in another encoding.
    DamagedMedia
        It is not text.
    """
    encoding = _encoding(content, declared)
    try:
        text = content[len(encoding.mark) :].decode(encoding.name)
    except UnicodeDecodeError as error:
        raise UnsupportedFormat(
            f"the text is not {encoding.name.upper()} at byte "
            f"{error.start + len(encoding.mark)}",
            hint="Save it as UTF-8 first.",
        ) from error
    if control := _CONTROLS.search(text):
        raise DamagedMedia(
            f"the text holds the control character U+{ord(control[0]):04X}",
            hint="It may be another kind of file than its name says.",
        )
    if encoding.encode(text, "surrogatepass") != content:
        raise UnsupportedFormat(
            f"the text would not come out of {encoding.name.upper()} as it went in",
            hint="Save it as UTF-8 first.",
        )
    return text, encoding


def looks_like_text(head: bytes) -> bool:
    """Tell whether a file begins like a text in one of the encodings."""
    mark, name = next(((m, n) for m, n in _MARKS if head.startswith(m)), (b"", None))
    names = ("utf-8", "gb18030") if name is None else (name,) if name else ()
    for each in names:
        try:
            # The end may tear a character apart.
            text = codecs.getincrementaldecoder(each)().decode(head[len(mark) :])
        except UnicodeDecodeError:
            continue
        if _CONTROLS.search(text) or (each == "gb18030" and not _is_chinese(text)):
            continue
        return bool(text)
    return False


def _encoding(content: bytes, declared: str | None) -> Encoding:
    for mark, name in _MARKS:
        if content.startswith(mark):
            if not name:
                raise UnsupportedFormat(
                    "the text is in UTF-32", hint="Save it as UTF-8 first."
                )
            return Encoding(name=name, mark=mark)
    if declared:
        return Encoding(name=_known(declared))
    try:
        content.decode()
    except UnicodeDecodeError as error:
        sample = content[:_SAMPLE].decode("gb18030", "ignore")
        if not _is_chinese(sample):
            raise UnsupportedFormat(
                f"the text is in no encoding that is recognized (byte {error.start})",
                hint="Save it as UTF-8, UTF-16 with a mark, or GB 18030 first.",
            ) from error
        return Encoding(name="gb18030")
    return Encoding()


def _known(declared: str) -> str:
    try:
        name = codecs.lookup(declared.strip()).name
        is_text = "<".encode(name) == b"<"
    except (LookupError, ValueError, TypeError, AttributeError):
        is_text, name = False, ""
    # What is declared in ASCII is not UTF-16, whatever it says.
    if name.startswith(("utf-16", "utf_16")):
        return "utf-8"
    if not is_text or name.startswith(("utf-7", "utf_7", "idna", "punycode")):
        raise UnsupportedFormat(
            f"the text is said to be in an unknown encoding, {declared[:40]!r}",
            hint="Save it as UTF-8 first.",
        )
    # GB 18030 holds the older two, which programs name where they mean it.
    return "gb18030" if name in ("gb2312", "gbk") else name


def _is_chinese(text: str) -> bool:
    """Tell whether most of what is not ASCII is in common use (GB 2312)."""
    others = [character for character in text if character > "\x7f"]
    common = "".join(others).encode("gb2312", "ignore")
    return bool(others) and len(common) / 2 >= _LEAST_COMMON * len(others)
