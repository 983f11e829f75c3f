"""The notice on the pages of a service, as an element of HTML.

GB 45438-2025, 5.6, asks for a text that stays in sight on the interface where people
meet generated content: near it, at the top or bottom, or in the background.
"""

from __future__ import annotations

import html
from functools import lru_cache
from importlib import resources

from ..errors import UsageError

__all__ = ["ELEMENT_FILE", "element_html", "element_script"]

ELEMENT_FILE = "synthmark-notice.js"
"""The usual name of the script."""


@lru_cache(maxsize=1)
def element_script() -> str:
    """Return the script that defines the element ``<synthmark-notice>``.

    One file for every page of a site: it needs no build step, loads nothing, and works
    under a Content-Security-Policy of ``script-src 'self'; style-src 'self'``. Its head
    lists the attributes and events.
    """
    folder = resources.files(__package__)
    return folder.joinpath("web", ELEMENT_FILE).read_text("utf-8")


def element_html(address: str = ELEMENT_FILE) -> str:
    """Return the lines that put the element into a page.

    Parameters
    ----------
    address : str, optional
        Of the script as seen from the page, a URL.

    Returns
    -------
    str
        HTML: the script, and the element with what shows where scripts are off.

    Raises
    ------
    UsageError
        It is not an address.
    """
    if not address.strip() or not address.isprintable():
        raise UsageError(
            f"{address!a} is not an address",
            hint="Give the URL of the script as seen from the page.",
        )
    return (
        f'<script src="{html.escape(address)}" defer></script>\n'
        "<synthmark-notice>内容由AI生成 · AI-generated content</synthmark-notice>\n"
    )
