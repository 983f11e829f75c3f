"""Records by content: indexes of fingerprints that follow the log.

The indexes can always be made anew from the log, so that a damaged one is replaced, and
what another process is adding meanwhile is simply not found yet.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecordError
from ..files import write_bytes
from ..fingerprints.comparison import compare
from ..fingerprints.fingerprint import AUDIO, IMAGE, VIDEO, Fingerprint
from ..fingerprints.index import FingerprintIndex

if TYPE_CHECKING:
    from ..records.store import Record, RecordStore

__all__ = ["Catalog"]

_POSITION, _LOCK = "position.json", "lock"
_THREADS = 2
_STALE_S = 3600.0


class Catalog:
    """Finds the records of contents that are alike.

    Parameters
    ----------
    records : RecordStore
        The log.
    folder : Path
        Where the indexes stand; it is made when it is missing.
    """

    def __init__(self, records: RecordStore, folder: Path) -> None:
        self.records = records
        self.folder = folder
        self._indexes: dict[str, FingerprintIndex] = {}

    def nearest(
        self, fingerprint: Fingerprint, most: int
    ) -> list[tuple[Record, float]]:
        """Return the records of the same content, the most similar first.

        Parameters
        ----------
        fingerprint : Fingerprint
            Of what is at hand.
        most : int
            At most so many.

        Returns
        -------
        list of (Record, float)
            With the similarity of each, 0 to 1.

        Raises
        ------
        RecordError
            The log or an index cannot be read or written.
        """
        self.update()
        index = self._indexes.get(fingerprint.algorithm)
        if index is None:
            return []
        found = []
        for match in index.nearest(fingerprint, most, threads=_THREADS):
            record = self.records.get(match.number)
            if record is None or record.fingerprint is None:
                continue  # removed since, when its time was over
            alike = compare(fingerprint, Fingerprint.parse(record.fingerprint))
            if alike.same:
                found.append((record, alike.similarity))
        return sorted(found, key=lambda pair: -pair[1])

    def update(self) -> None:
        """Add what has been recorded since the last time, here or elsewhere."""
        last = self._position()
        for algorithm in (IMAGE, AUDIO, VIDEO):
            if algorithm not in self._indexes:
                last = min(last, self._open(algorithm, last))
        head = self.records.head()
        if head[0] > last:
            with self._alone() as alone:
                if alone:
                    self._extend(last, head)

    def _position(self) -> int:
        """Return up to which record the indexes go; 0 to make them anew."""
        try:
            sequence, digest = json.loads((self.folder / _POSITION).read_text())
            record = self.records.get(int(sequence))
        except (OSError, ValueError, TypeError):
            return 0
        # Another log, or one that was restored, has another record there.
        return record.sequence if record and record.hash == digest else 0

    def _open(self, algorithm: str, last: int) -> int:
        """Open an index; return up to which record it goes."""
        try:
            self._indexes[algorithm] = FingerprintIndex(self._path(algorithm))
        except RecordError:
            return 0
        return last

    def _extend(self, last: int, head: tuple[int, str]) -> None:
        for algorithm in (IMAGE, AUDIO, VIDEO):
            pairs = self._pairs(algorithm, last, head[0])
            index = self._indexes.get(algorithm)
            if index is None or not last:
                self._indexes[algorithm] = FingerprintIndex.build(
                    self._path(algorithm), pairs, algorithm=algorithm, overwrite=True
                )
            else:
                self._indexes[algorithm] = index.append(pairs)
        write_bytes(self.folder / _POSITION, json.dumps(head).encode(), overwrite=True)

    def _pairs(
        self, algorithm: str, last: int, head: int
    ) -> Iterator[tuple[int, Fingerprint]]:
        for record in self.records.records(head - last, last):
            if record.fingerprint and record.fingerprint.startswith(f"{algorithm}:"):
                yield record.sequence, Fingerprint.parse(record.fingerprint)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep other processes from adding at the same time; tell whether one does."""
        lock = self.folder / _LOCK
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if lock.exists() and time.time() - lock.stat().st_mtime > _STALE_S:
                lock.unlink(missing_ok=True)  # whoever held it was killed
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            yield False
            return
        except OSError as error:
            raise RecordError(
                f"cannot be written: {(error.strerror or str(error)).lower()}",
                path=self.folder,
            ) from error
        try:
            yield True
        finally:
            with suppress(OSError):
                lock.unlink()

    def _path(self, algorithm: str) -> Path:
        return self.folder / f"{algorithm.replace('/', '.')}.index"
