"""The invisible mark in sounds: embed and detect.

A keyed pattern of tiles in time and frequency, a little louder here and softer there,
goes around for ever; any few seconds of it hold the whole payload. Reading is blind:
the sound as it is first, then as if it had been played faster or slower, stretched or
shifted in pitch. Both ways work on a stream and hold less than a minute of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ...kernels import bands
from ...kernels.threads import single_threaded
from ..errors import TooShortForMark, UsageError
from ..keys import Key
from ..model import Detection
from ..payload import Payload
from .audio_writer import AudioWriter
from .listening import UNCHANGED, Chunk, Look, looks, spans
from .tape import Tape, check_block, check_format
from .tempo import search
from .timeline import SCHEME, timeline_of
from .words import Hit

__all__ = [
    "LEAST_S",
    "SCHEME",
    "AudioReader",
    "AudioWriter",
    "detect_audio",
    "embed_audio",
]

P_VALUE_LIMIT = 1e-9

LEAST_S = 2.0
FED_S = 10  # of a sound at a time
CHUNK_TICKS = 30 * bands.TICKS
MOST_PITCH = 1.28  # factor of frequencies that the search goes up to
LEAST_GAP_S = 1.0  # between spans

Float = NDArray[np.float32]


def embed_audio(
    samples: Float, rate: int, payload: Payload, key: Key, *, strength: float = 1.0
) -> Float:
    """Hide a payload in a sound.

    Parameters
    ----------
    samples : ndarray of float32, shape (frames,) or (frames, channels)
        Full scale is 1; 1 to 8 channels. Silence stays silent and carries no mark. An
        earlier mark of the same key is replaced; where it says the same already,
        samples stay as they are. Marks of other keys stay readable.
    rate : int
        Samples per second, 8,000 to 192,000.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    strength : float, optional
        Change in dB relative to the default, 0.25 to 4.

    Returns
    -------
    ndarray of float32
        The marked sound, of the same shape.

    Raises
    ------
    TooShortForMark
        It lasts less than 2 seconds.
    UsageError
        The array is not a sound, or an argument is out of range.
    """
    frames = _frames(samples)
    writer = AudioWriter(rate, frames.shape[1], payload, key, strength=strength)
    if len(frames) < LEAST_S * rate:
        raise TooShortForMark(
            f"{len(frames) / rate:.2f} s are too short for a mark: "
            f"{LEAST_S:g} s are needed",
            hint="Join it with what comes before or after.",
        )
    parts = [writer.push(block) for block in _blocks(frames, rate)]
    return np.concatenate([*parts, writer.finish()]).reshape(samples.shape)


def detect_audio(samples: Float, rate: int, key: Key | Sequence[Key]) -> Detection:
    """Look for a mark of one of the keys.

    Parameters
    ----------
    samples : ndarray of float32, shape (frames,) or (frames, channels)
        A sound of any length, which may have been re-encoded, cut, mixed with others,
        played in a room, or changed in speed, tempo and pitch.
    rate : int
        Samples per second, 8,000 to 192,000.
    key : Key or sequence of Key
        Whose marks to look for.

    Returns
    -------
    Detection
        With ``found`` false when there is no mark: that is a result, not an error.

    Raises
    ------
    UsageError
        The array is not a sound, an argument is out of range, or there is no key.
    """
    frames = _frames(samples)
    reader = AudioReader(rate, frames.shape[1], key)
    for block in _blocks(frames, rate):
        reader.push(block)
    return reader.finish()


class AudioReader:
    """Looks for a mark in a sound of any length, in chunks of half a minute.

    The first mark that is found is followed to the end; others are not looked for.

    Parameters
    ----------
    rate : int
        Samples per second, 8,000 to 192,000.
    channels : int
        1 to 8.
    key : Key or sequence of Key
        Whose marks to look for.

    Raises
    ------
    UsageError
        A value is out of range, or there is no key.
    """

    def __init__(self, rate: int, channels: int, key: Key | Sequence[Key]) -> None:
        keys = [key] if isinstance(key, Key) else list(key)
        if not keys:
            raise UsageError("no key to look for", hint="Give at least one key.")
        self._rate = check_format(rate, channels)
        self._timelines = [timeline_of(one) for one in keys]
        self._tape = Tape(channels)
        self._tick = 0
        self._reads = 0
        self._found: tuple[Look, Hit, float] | None = None
        self._usual = 0.0
        self._spans: list[tuple[float, float]] = []

    @single_threaded
    def push(self, block: Float) -> None:
        """Take samples, float32, shape (frames, channels).

        Raises
        ------
        UsageError
            The block has another type or shape, or values that are not finite.
        """
        self._tape.append(block)
        while self._tape.end >= self._sample(self._tick + CHUNK_TICKS) + self._half():
            self._read(self._tick + CHUNK_TICKS)

    @single_threaded
    def finish(self) -> Detection:
        """Return what was found in all that was taken."""
        end = self._tape.end * bands.TICKS // self._rate
        if end > self._tick:
            self._read(end)
        if self._found is None:
            return Detection(
                found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME
            )
        look, hit, p_value = self._found
        return Detection(
            found=True,
            payload=hit.payload,
            p_value=p_value,
            score=hit.score,
            scheme=SCHEME,
            key_id=look.timeline.key_id,
            spans=tuple(self._spans),
        )

    def _sample(self, tick: int) -> int:
        return int(bands.centers(np.array(tick), self._rate))

    def _half(self) -> int:
        return len(bands.window(self._rate)) // 2

    def _read(self, end: int) -> None:
        """Read the chunk up to a tick."""
        chunk = self._chunk(end)
        if self._found is None:
            self._found = self._find(chunk)
        if self._found is not None:
            self._follow(chunk)
        self._tick = end
        self._tape.drop(self._sample(end) - self._half())

    def _chunk(self, end: int) -> Chunk:
        ticks = np.arange(self._tick, end)
        top = bands.bin_of(MOST_PITCH * bands.EDGES[-1], self._rate) + 1
        power = np.zeros((len(ticks), top), np.float32)
        for channel in self._tape.samples().T:
            spectra = bands.spectra(channel, self._tape.first, ticks, self._rate)
            power += spectra.real[:, :top] ** 2 + spectra.imag[:, :top] ** 2
        spacing = self._rate / len(bands.window(self._rate))
        return Chunk(bands.loudness(power, self._rate), spacing)

    def _find(self, chunk: Chunk) -> tuple[Look, Hit, float] | None:
        for look in self._looks(chunk):
            for one in chain([look], look.beside()):
                self._reads += 1
                hit = one.decode()
                if hit is None:
                    # Where a look holds nothing, those beside it do not either.
                    if one is look:
                        break
                    continue
                # Shares of 1 / (k (k + 1)) for the k-th read add up to one.
                p_value = min(1.0, hit.p_value * self._reads * (self._reads + 1))
                if p_value <= P_VALUE_LIMIT:
                    return one, hit, p_value
        return None

    def _looks(self, chunk: Chunk) -> Iterator[Look]:
        """Yield what is worth decoding, ever less likely."""
        for clear in (True, False):
            cells = chunk.cells(UNCHANGED, clear=clear)
            yield from looks(cells, UNCHANGED, self._timelines)
        yield from search(chunk, self._timelines)

    def _follow(self, chunk: Chunk) -> None:
        """Add the parts of a chunk that carry the mark that was found."""
        assert self._found is not None
        look, hit, _ = self._found
        pattern = look.timeline.pattern(hit.payload)
        cells = chunk.cells(look.scale, clear=False)
        parts, self._usual = spans(cells, look.scale, pattern, self._usual)
        for ticks in parts:
            start, end = ((self._tick + tick) / bands.TICKS for tick in ticks)
            if self._spans and start - self._spans[-1][1] < LEAST_GAP_S:
                start = self._spans.pop()[0]
            self._spans.append((round(start, 2), round(end, 2)))


def _frames(samples: Float) -> Float:
    """Return a sound that was checked with an axis for channels."""
    check_block(samples)
    if samples.size == 0:
        raise UsageError("the sound is empty")
    return samples[:, None] if samples.ndim == 1 else samples


def _blocks(frames: Float, rate: int) -> Iterator[Float]:
    for start in range(0, len(frames), FED_S * rate):
        yield frames[start : start + FED_S * rate]
