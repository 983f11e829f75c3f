"""Measure the record log: look-ups among many records, and appends by many writers.

    python bench/records.py lookup log.db --rows 10000000
    python bench/records.py append log.db --processes 8 --records 1000
    python bench/records.py lookup postgresql://user@host/empty

The place must not exist, or be an empty database. Rows are made as `append` makes
them, chained, but loaded past it.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from synthmark.labeling.payload import Payload
from synthmark.labeling.records.chain import FIRST_HEAD, chained, row
from synthmark.labeling.records.schema import record
from synthmark.labeling.records.store import RecordStore

BATCH = 50_000
NAMES = [column.name for column in record.c]

FIELDS: dict[str, Any] = {
    "action": "label",
    "origin_id": None,
    "key_id": "0123456789abcdef",
    "media": "image",
    "layers": ["notice", "mark", "aigc", "c2pa"],
    "service": "face",
    "jurisdictions": ["cn"],
    "software": "synthmark 0.1.0",
    "target": None,
    "notice": {"text": "AI生成", "place": "corner", "height": 54},
    "consent": "C-2026-118",
    "exemption": None,
    "fingerprint": "pdq/1:" + "A" * 43,
}


def main() -> None:
    """Run one of the measurements and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("lookup", "append"))
    parser.add_argument("place", help="a file, or the address of a database")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--lookups", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--records", type=int, default=1_000)
    asked = parser.parse_args()
    if asked.what == "lookup":
        look_up(asked.place, asked.rows, asked.lookups)
    else:
        append(asked.place, asked.processes, asked.records)


def look_up(place: str, count: int, lookups: int) -> None:
    """Fill a log and time its look-ups."""
    began = time.perf_counter()
    with RecordStore(place) as store:
        load(store, count)
        print(f"{count} rows in {time.perf_counter() - began:.0f} s")
        if os.path.exists(place):
            print(f"{Path(place).stat().st_size / count:.0f} bytes a row")
        draw = random.Random(0)
        known = [item(n) for n in draw.choices(range(1, count + 1), k=lookups)]
        unknown = [Payload(issuer=2, serial=n) for n in range(lookups)]
        _timed("by_payload, known", store.by_payload, (p for p, _ in known))
        _timed("by_payload, unknown", store.by_payload, unknown)
        _timed("payload_taken", store.payload_taken, (p for p, _ in known))
        _timed(
            "find(produce_id)",
            lambda name: store.find(produce_id=name),
            (n for _, n in known),
        )
        _timed(
            "find(sha256)",
            lambda digest: store.find(sha256=digest),
            ("0" * 64 for _ in known),
        )


def append(place: str, processes: int, records: int) -> None:
    """Let processes append to one log and check the outcome."""
    began = time.perf_counter()
    with RecordStore(place) as store:
        _timed("append, alone", lambda n: _append(store, f"alone-{n}"), range(200))
    RecordStore(place).close()
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    arguments = [(place, f"p{number}", records) for number in range(processes)]
    with context.Pool(processes) as pool:
        told = [n for some in pool.starmap(_append_many, arguments) for n in some]
    seconds = time.perf_counter() - began
    print(f"{len(told)} by {processes} processes: {len(told) / seconds:.0f} a second")
    with RecordStore(place) as store:
        result = store.verify()
        unique = len(set(told)) == len(told) == processes * records
        print(f"verified {result.count}: {result.ok}, no number twice: {unique}")


def load(store: RecordStore, count: int) -> None:
    """Put rows into an empty log past its triggers and indexes."""
    connect = store._database.transaction
    with connect(write=True) as connection:
        sqlite = connection.dialect.name == "sqlite"
        for index in record.indexes:
            index.drop(connection)
        if sqlite:
            query = "SELECT sql FROM sqlite_master WHERE name = 'record_insert'"
            trigger = connection.exec_driver_sql(query).scalar_one()
            connection.exec_driver_sql("DROP TRIGGER record_insert")
        else:
            connection.exec_driver_sql("ALTER TABLE record DISABLE TRIGGER ALL")
    made = rows(count)
    while batch := list(islice(made, BATCH)):
        with connect(write=True) as connection:
            if sqlite:
                connection.execute(record.insert(), batch)
            else:
                _copy(connection, batch)
    with connect(write=True) as connection:
        if sqlite:
            connection.exec_driver_sql(trigger)
        else:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("ALTER TABLE record ENABLE TRIGGER ALL")
    for index in record.indexes:
        with connect(write=True) as connection:
            if not sqlite:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                driver: Any = connection.connection.driver_connection
                driver._usock.settimeout(None)
            index.create(connection)


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield chained rows, the same in every run but for their times."""
    head = FIRST_HEAD
    empty: dict[str, Any] = dict.fromkeys(("payload", "manifest_id", "manifest_sha256"))
    given = {"produce_id": "x", "sha256_before": "a" * 64, "sha256_after": "b" * 64}
    same = row(**{**FIELDS, **empty, **given})
    draw = random.Random(1)
    for number in range(1, count + 1):
        payload, name = item(number)
        unlike = {
            "payload": str(payload),
            "produce_id": name,
            "sha256_before": draw.randbytes(32).hex(),
            "sha256_after": draw.randbytes(32).hex(),
            "manifest_id": f"urn:c2pa:{name}",
        }
        linked = chained({**same, **unlike}, head)
        head = linked["sequence"], linked["hash"]
        yield linked


def item(number: int) -> tuple[Payload, str]:
    """Return payload and name of an item, in no order."""
    mixed = number * 0x9E3779B97F4A7C15 % (1 << 64)
    return Payload(issuer=1, serial=mixed % (1 << 40)), f"{mixed:032x}"


def _copy(connection: Any, batch: list[dict[str, Any]]) -> None:
    lines = (
        "\t".join("\\N" if one[name] is None else str(one[name]) for name in NAMES)
        for one in batch
    )
    stream = io.BytesIO(("\n".join(lines) + "\n").encode())
    cursor = connection.connection.driver_connection.cursor()
    cursor.execute(f"COPY record ({', '.join(NAMES)}) FROM STDIN", stream=stream)


def _append(store: RecordStore, name: str) -> int:
    return store.append(
        payload=Payload.random(issuer=3),
        produce_id=name,
        sha256_before="a" * 64,
        sha256_after="b" * 64,
        **FIELDS,
    ).sequence


def _append_many(place: str, name: str, records: int) -> list[int]:
    with RecordStore(place, timeout_s=120) as store:
        return [_append(store, f"{name}-{number}") for number in range(records)]


def _timed(name: str, call: Callable[[Any], object], values: Iterable[Any]) -> None:
    times = []
    for value in values:
        began = time.perf_counter()
        call(value)
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    middle, high = statistics.median(times), times[int(0.99 * len(times))]
    print(f"{name:22} median {middle:.2f} ms, 99 % {high:.2f} ms")


if __name__ == "__main__":
    main()
