"""Exports hold everything, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest

from synthmark.labeling.model import to_dict
from synthmark.labeling.payload import Payload
from synthmark.labeling.records.export import COLUMNS, write_csv, write_jsonl
from synthmark.labeling.records.store import RecordStore


def test_json_lines_hold_all_records_exactly(log: RecordStore) -> None:
    stream = io.StringIO()
    assert write_jsonl(log.records(), stream) == 6
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines == json.loads(json.dumps([to_dict(item) for item in log.records()]))


def test_a_table_holds_all_columns(log: RecordStore, append: Any) -> None:
    append(log, target='a "b", c\nd', notice=None, layers=())
    stream = io.StringIO(newline="")
    assert write_csv(log.records(), stream) == 7
    rows = list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))
    assert tuple(rows[0]) == COLUMNS
    first = rows[0]
    assert first["sequence"] == "1"
    assert first["payload"] == str(Payload(issuer=7, serial=0))
    assert first["layers"] == "notice,mark,aigc"
    assert json.loads(first["notice"]) == {"text": "AI生成", "box": {"left": 1}}
    assert first["origin_id"] == ""
    assert rows[6]["target"] == 'a "b", c\nd'
    assert rows[6]["layers"] == rows[6]["notice"] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(log: RecordStore, append: Any, start: str) -> None:
    text = start + 'HYPERLINK("http://x")'
    for name in ("produce_id", "service", "software", "target", "consent"):
        append(log, **{name: text})
    append(log, action="propagate", origin_id=text)
    stream = io.StringIO(newline="")
    write_csv(log.records(after=6), stream)
    rows = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    cells = [cell for row in rows for cell in row]
    assert cells.count("'" + text) == 6
    assert not [cell for cell in cells if cell.startswith(start)]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_an_export_needs_little_memory(log: RecordStore) -> None:
    class Nowhere(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

    some = list(log.records())
    tracemalloc.start()
    for write in (write_csv, write_jsonl):
        many = (record for _ in range(200) for record in some)
        assert write(many, Nowhere()) == 1_200
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
