"""Find fingerprints among millions: one file, memory-mapped, read from end to end.

Codes of 256 bits stand in blocks, each with the numbers of its records and a checksum.
Comparing a code with eight others takes eight nanoseconds, so ten million of them are
searched faster than a cleverer structure would be built, and none is missed.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordError, UsageError
from ..files import replacing
from .codes import Codes, asked_codes, stored_codes
from .fingerprint import Fingerprint

__all__ = ["MAX_DISTANCE", "FingerprintIndex", "Match"]

MAX_DISTANCE = 72
"""Of 256 bits: codes of different content come this near once in some 10^9 pairs."""

MAGIC, VERSION = b"SMFPINDX", 1
BLOCK = 16_384
HEAD = np.dtype(
    [
        ("magic", "S8"),
        ("version", "<u4"),
        ("block", "<u4"),
        ("count", "<u8"),
        ("algorithm", "S36"),
        ("check", "<u4"),
    ]
)
BODY = np.dtype(
    [
        ("codes", "<u8", (BLOCK, 4)),
        ("numbers", "<u8", BLOCK),
        ("check", "<u4"),
        ("rest", "V60"),
    ]
)

Pairs = Iterable[tuple[int, Fingerprint]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A record whose fingerprint is near.

    Parameters
    ----------
    number : int
        The number it was stored under.
    distance : int
        Bits of 256 that differ, at the best of the codes.
    similarity : float
        1 for equal codes, 0 for those that agree in half of their bits or fewer.
    """

    number: int
    distance: int
    similarity: float


class FingerprintIndex:
    """Fingerprints of one algorithm, to be searched by content.

    Made by `build`, or opened from its file. One process may append while others
    read; they see what stood there when they opened it.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    RecordError
        It is missing, not an index, truncated or altered.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            with self.path.open("rb") as file:
                head = _head(file.read(HEAD.itemsize), self.path)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise RecordError(
                f"the fingerprint index cannot be read: {error.strerror}",
                path=self.path,
            ) from error
        self._count = int(head["count"])
        self.algorithm = bytes(head["algorithm"]).decode("ascii")
        self._blocks: NDArray[Any] = np.zeros(0, BODY)
        blocks = -(-self._count // BLOCK)
        if size < HEAD.itemsize + blocks * BODY.itemsize:
            raise _damaged("is cut off", self.path)
        if blocks:
            self._blocks = np.memmap(self.path, BODY, "r", HEAD.itemsize, (blocks,))
        for number, block in enumerate(self._blocks):
            if _check(block) != block["check"]:
                raise _damaged(f"is altered in block {number}", self.path)

    def __len__(self) -> int:
        return self._count

    @classmethod
    def build(
        cls, path: Path | str, pairs: Pairs, *, algorithm: str, overwrite: bool = False
    ) -> FingerprintIndex:
        """Make an index.

        Parameters
        ----------
        path : Path or str
            Where it shall stand.
        pairs : iterable of (int, Fingerprint)
            Numbers from 0 to 2^64 - 1 and what they stand for, all of `algorithm`.
            Those with too little content to be found by are left out.
        overwrite : bool, optional
            Whether a file there may be replaced.

        Raises
        ------
        UsageError
            A number is out of range, or a fingerprint of another algorithm.
        OutputError, OutputExists
            The file cannot be written.
        """
        if len(algorithm) > HEAD["algorithm"].itemsize or not algorithm.isascii():
            raise UsageError("the name of the algorithm is too long")
        with replacing(Path(path), overwrite=overwrite) as temporary:
            temporary.write_bytes(_new_head(0, algorithm))
            _extend(temporary, pairs, 0, algorithm)
        return cls(path)

    def append(self, pairs: Pairs) -> FingerprintIndex:
        """Add to the file, and return the longer index; see `build`.

        When that is cut short by a crash, the next to open the file is told that it is
        altered, and it is built again from the records.
        """
        try:
            _extend(self.path, pairs, self._count, self.algorithm)
        except OSError as error:
            raise RecordError(
                f"the fingerprint index cannot be extended: {error.strerror}",
                path=self.path,
            ) from error
        return FingerprintIndex(self.path)

    def nearest(
        self,
        fingerprint: Fingerprint,
        count: int = 10,
        max_distance: int = MAX_DISTANCE,
        *,
        threads: int = 1,
    ) -> list[Match]:
        """Find the records whose codes are nearest.

        Parameters
        ----------
        fingerprint : Fingerprint
            Of the index's algorithm. A picture is looked for in its eight symmetries.
        count : int, optional
            How many to return at most.
        max_distance : int, optional
            Bits that may differ, 0 to 128.
        threads : int, optional
            How many parts of the file are searched at once.

        Returns
        -------
        list of Match
            The nearest first, each number once; none for what has too little content.

        Raises
        ------
        UsageError
            The fingerprint is of another algorithm, or a number is out of range.
        """
        if fingerprint.algorithm != self.algorithm:
            raise UsageError(
                f"this index holds fingerprints of {self.algorithm}, not of "
                f"{fingerprint.algorithm}"
            )
        if count < 1 or threads < 1 or not 0 <= max_distance <= 128:
            raise UsageError("the count, distance or threads are out of range")
        asked = asked_codes(fingerprint)
        if not len(asked) or not self._count:
            return []
        bounds = np.linspace(0, len(self._blocks), threads + 1).astype(int)
        spans = [range(a, b) for a, b in pairwise(bounds.tolist())]
        with ThreadPoolExecutor(threads) as pool:
            parts = pool.map(lambda s: self._scan(s, asked, count, max_distance), spans)
            best: dict[int, int] = {}
            for part in parts:
                _keep_least(best, part)
        ranked = sorted(best.items(), key=lambda pair: (pair[1], pair[0]))[:count]
        return [
            Match(number=n, distance=d, similarity=max(0.0, 1 - d / 128))
            for n, d in ranked
        ]

    def _scan(
        self, span: range, asked: Codes, count: int, limit: int
    ) -> dict[int, int]:
        """Return numbers and distances of the nearest in some blocks."""
        from ...kernels.hamming import nearest_codes

        best: dict[int, int] = {}
        distances = np.empty(BLOCK, np.uint16)
        for index in span:
            block = self._blocks[index]
            used = min(BLOCK, self._count - index * BLOCK)
            if not nearest_codes(block["codes"][:used], asked, limit, distances[:used]):
                continue
            places = np.flatnonzero(distances[:used] <= limit)
            _keep_least(
                best,
                zip(
                    block["numbers"][places].tolist(),
                    distances[places].tolist(),
                    strict=True,
                ),
            )
            if len(best) > 4 * count + BLOCK:
                nearest = sorted(best.items(), key=lambda pair: (pair[1], pair[0]))
                best = dict(nearest[:count])
                limit = nearest[count - 1][1]
        return best


def _keep_least(best: dict[int, int], found: Any) -> None:
    for number, distance in found.items() if isinstance(found, dict) else found:
        if distance < best.get(number, 257):
            best[number] = distance


def _rows(pairs: Pairs, algorithm: str) -> Iterator[tuple[NDArray[np.uint64], Codes]]:
    """Yield the numbers and codes of many pairs at a time."""
    left = iter(pairs)
    while chunk := list(islice(left, BLOCK // 4)):
        numbers, codes = [], []
        for number, fingerprint in chunk:
            if not 0 <= number < 1 << 64:
                raise UsageError("numbers of records go from 0 to 2^64 - 1")
            if fingerprint.algorithm != algorithm:
                raise UsageError(
                    f"a fingerprint of {fingerprint.algorithm} cannot stand in an "
                    f"index of {algorithm}"
                )
            stored = stored_codes(fingerprint)
            numbers += [number] * len(stored)
            codes.append(stored)
        yield np.array(numbers, np.uint64), np.concatenate(codes)


def _extend(path: Path, pairs: Pairs, count: int, algorithm: str) -> None:
    """Fill the last block and add more, then say so in the head."""
    with path.open("r+b") as file:
        block = np.zeros((), BODY)
        for numbers, codes in _rows(pairs, algorithm):
            while len(numbers):
                used = count % BLOCK
                place = HEAD.itemsize + count // BLOCK * BODY.itemsize
                file.seek(place)
                if used:
                    block = np.frombuffer(file.read(BODY.itemsize), BODY)[0].copy()
                else:
                    block = np.zeros((), BODY)
                taken = min(len(numbers), BLOCK - used)
                block["codes"][used : used + taken] = codes[:taken]
                block["numbers"][used : used + taken] = numbers[:taken]
                block["check"] = _check(block)
                file.seek(place)
                file.write(block.tobytes())
                numbers, codes = numbers[taken:], codes[taken:]
                count += taken
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        file.write(_new_head(count, algorithm))


def _check(block: Any) -> int:
    return zlib.crc32(block["numbers"], zlib.crc32(block["codes"]))


def _new_head(count: int, algorithm: str) -> bytes:
    head = np.zeros((), HEAD)
    head["magic"], head["version"], head["block"] = MAGIC, VERSION, BLOCK
    head["count"], head["algorithm"] = count, algorithm.encode("ascii")
    head["check"] = zlib.crc32(head.tobytes()[:-4])
    return head.tobytes()


def _head(content: bytes, path: Path) -> Any:
    if len(content) != HEAD.itemsize or not content.startswith(MAGIC):
        raise RecordError("this is not a fingerprint index", path=path)
    head = np.frombuffer(content, HEAD)[0]
    if head["version"] != VERSION or head["block"] != BLOCK:
        raise RecordError(
            "this fingerprint index is of another version",
            hint="Build it again from the records.",
            path=path,
        )
    if head["check"] != zlib.crc32(content[:-4]):
        raise _damaged("is altered in its head", path)
    return head


def _damaged(how: str, path: Path) -> RecordError:
    return RecordError(
        f"the fingerprint index {how}",
        hint="Build it again from the records.",
        path=path,
    )
