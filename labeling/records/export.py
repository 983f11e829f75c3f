"""The log for other programs: one JSON object a line, or a table.

Both hold all columns under their names. JSON holds them exactly, with lists and
objects as such. The table has one text a column: lists joined by commas, objects as
JSON, nothing for null; a text that a spreadsheet would take for a formula gets an
apostrophe in front.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TextIO

from ..model import to_dict
from .chain import Record, canonical

__all__ = ["COLUMNS", "write_csv", "write_jsonl"]

COLUMNS = tuple(item.name for item in fields(Record))

# How a cell begins that spreadsheets compute (OWASP, CSV injection).
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_jsonl(records: Iterable[Record], stream: TextIO) -> int:
    """Write one JSON object a line; return their number."""
    count = 0
    for item in records:
        stream.write(json.dumps(to_dict(item), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(records: Iterable[Record], stream: TextIO) -> int:
    """Write a table with a line of names above; return the number of records."""
    table = csv.writer(stream, lineterminator="\r\n")  # RFC 4180
    table.writerow(COLUMNS)
    count = 0
    for item in records:
        table.writerow(_cell(getattr(item, name)) for name in COLUMNS)
        count += 1
    return count


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        text = ",".join(value)
    elif isinstance(value, dict):
        text = canonical(value)
    else:
        text = str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text
