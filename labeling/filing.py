"""The filing of a service, and the block that shows it (Provisions, Art. 19)."""

from __future__ import annotations

import html
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import OutputError, UsageError
from .files import write_bytes
from .grounds import reference

__all__ = ["Filing", "block", "block_html", "load", "save"]

_MAX_LINK = 500
_HOST = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?"
_REST = r"[/?#][A-Za-z0-9/?#\[\]@!$&()*+,;=:._~%-]*"
_LINK = re.compile(f"https://{_HOST}(?:{_REST})?")
_TITLES = {
    "zh": ("算法备案号", "公示信息"),
    "en": ("Algorithm filing number", "public record"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """Under which number a service is filed, and where everybody can look that up.

    Parameters
    ----------
    number : str
        As the authority wrote it.
    link : str
        Address of the public record, ``https``, in ASCII (RFC 3986).
    name : str
        Of the algorithm or service; may be empty.

    Raises
    ------
    UsageError
        A value cannot be meant.
    """

    number: str
    link: str
    name: str = ""

    def __post_init__(self) -> None:
        reference(self.number, "the filing number")
        if self.name:
            reference(self.name, "the name of the service")
        if len(self.link) > _MAX_LINK or not _LINK.fullmatch(self.link):
            raise UsageError(
                f"{self.link[:80]!r} is not the address of a public record",
                hint="Give an address that begins with https://, others than Latin "
                "letters written with %.",
            )


def block(filing: Filing, language: str) -> str:
    """Return the lines to be shown at a prominent place of site or app.

    Parameters
    ----------
    filing : Filing
    language : str
        ``"zh"`` or ``"en"``.
    """
    title, record = _TITLES[language]
    colon = "：" if language == "zh" else ": "
    name = f"{filing.name} " if filing.name else ""
    return f"{name}{title}{colon}{filing.number}\n{record}{colon}{filing.link}"


def block_html(filing: Filing, language: str) -> str:
    """Return the same as an element for a page; the number is the link."""
    title, _ = _TITLES[language]
    colon = "：" if language == "zh" else ": "
    name = f"{html.escape(filing.name)} " if filing.name else ""
    link = f'<a href="{html.escape(filing.link)}">{html.escape(filing.number)}</a>'
    return f'<p lang="{language}" class="filing">{name}{title}{colon}{link}</p>'


def save(filing: Filing, path: Path) -> None:
    """Keep a filing in a file, in place of the one before.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    text = json.dumps(asdict(filing), ensure_ascii=False, indent=2)
    write_bytes(path, text.encode() + b"\n", overwrite=True)


def load(path: Path) -> Filing | None:
    """Return the filing in a file; None where there is no file.

    Raises
    ------
    UsageError
        The file does not hold one.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(
            f"cannot be read: {(error.strerror or str(error)).lower()}", path=path
        ) from error
    try:
        fields = json.loads(content)
        if not all(isinstance(value, str) for value in fields.values()):
            raise TypeError("a field is no text")
        return Filing(**fields)
    except (
        *(ValueError, TypeError, AttributeError, RecursionError),
        UsageError,
    ) as error:
        raise UsageError(
            "is not a filing", hint="Set it again: synthmark filing set.", path=path
        ) from error
