"""Whether two fingerprints are of the same content.

The chances that are stated come from comparing different pictures and sounds; see
``docs/fingerprints.md`` for how many, and what was made of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model import Transform
from .audio import span_agreements, words_of
from .fingerprint import AUDIO, IMAGE, VIDEO, Comparison, Fingerprint
from .image import Hash, Portrait, is_busy, mirrored
from .registration import Agreement, Known, Pose, best_agreement
from .video import Reel

__all__ = ["compare"]

PROBES = 4  # frames of a video that are looked for
NEAR, ALIKE, SPREAD = 4, 3, 4  # frames in which each is looked for
TURNED = 2  # of these in which it is looked for at every turn
LEAST_SHARE = 0.25  # of places with contrast, below which a picture is plain
UPRIGHT: Known = {"turn_deg": 0.0}

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scale:
    """How scores are judged.

    Scores from `same` up are of the same content, those below `other` are not. The
    chance that different content reaches a score is exp((start - score) / slope).
    """

    other: float
    same: float
    start: float
    slope: float

    def chance(self, score: float) -> float:
        """Return the chance that different content reaches a score, at most 1."""
        return math.exp(min(0.0, (self.start - score) / self.slope))


PICTURES = Scale(other=7.0, same=9.5, start=6.0, slope=1.2)
SOUNDS = Scale(other=7.5, same=9.0, start=5.6, slope=0.4)
SOUND_WORDS = 720  # of the longer sound, at which that was measured


def compare(
    first: Fingerprint, second: Fingerprint, *, transform: Transform | None = None
) -> Comparison:
    """Compare what is at hand with what was recorded.

    Parameters
    ----------
    first, second : Fingerprint
        Of what is at hand, and of the record; both of the same algorithm.
    transform : Transform, optional
        What the mark shows to have happened to the first since the second was taken.
        Other turns and reflections are then left out, which makes it faster and chance
        rarer. Not used for sounds.

    Raises
    ------
    UsageError
        They are of different or unknown algorithms, or one of them is malformed.
    """
    if first.algorithm != second.algorithm:
        raise UsageError(
            f"a fingerprint of {first.algorithm} cannot be compared with one of "
            f"{second.algorithm}",
            hint="Take both fingerprints with the same version.",
        )
    if first.algorithm == IMAGE:
        return _pictures(first, second, transform)
    if first.algorithm == AUDIO:
        return _sounds(first, second)
    if first.algorithm == VIDEO:
        return _videos(first, second, transform)
    raise UsageError(
        f"fingerprints of {first.algorithm} are not known here",
        hint="A newer version of synthmark may know them.",
    )


def _pictures(
    first: Fingerprint, second: Fingerprint, transform: Transform | None
) -> Comparison:
    maps = [Portrait.unpack(one.value).map for one in (first, second)]
    if not all(map(is_busy, maps)):
        return Comparison(similarity=0.0, same=None, p_value=1.0)
    found = best_agreement(maps[0], maps[1], **_known(transform))
    judged = _judged([found.score], [found.correlation], PICTURES)
    return _lenient(judged, [maps[:1], maps[1:]])


def _sounds(first: Fingerprint, second: Fingerprint) -> Comparison:
    words = words_of(first), words_of(second)
    spans = span_agreements(*words)
    tries = max(1.0, max(map(len, words)) / SOUND_WORDS)
    return _judged(
        [score for score, _ in spans],
        [max(0.0, 2 * share - 1) for _, share in spans],
        SOUNDS,
        tries,
    )


def _videos(
    first: Fingerprint, second: Fingerprint, transform: Transform | None
) -> Comparison:
    """Look for some frames of the shorter video in the longer one.

    Once one is found, the others are looked for first where it says they are.
    """
    reels = [Reel.unpack(one.value) for one in (first, second)]
    swapped = reels[0].length_s > reels[1].length_s
    short, long = reels[::-1] if swapped else reels
    known = _known(transform, inverse=swapped)
    usable = [i for i, one in enumerate(short.maps) if is_busy(one)]
    places = {round(i) for i in np.linspace(0, len(usable) - 1, PROBES)}
    found: list[Agreement] = []
    delay_s = 0.0
    for probe in (usable[i] for i in sorted(places) if usable and long.maps):
        time_s = probe * short.interval_s
        best = Agreement(0.0, 0.0, Pose(0.0))
        candidates = _candidates(short.hashes[probe], long, time_s + delay_s)
        for rank, number in enumerate(candidates):
            hint = known or ({} if rank < TURNED else UPRIGHT)
            one = best_agreement(short.maps[probe], long.maps[number], **hint)
            best = max(best, one, key=lambda agreement: agreement.score)
            if one.score >= PICTURES.same:
                delay_s = number * long.interval_s - time_s
                break
        found.append(best)
    judged = _judged(
        [one.score for one in found], [one.correlation for one in found], PICTURES
    )
    return _lenient(judged, [reel.maps for reel in reels])


def _lenient(judged: Comparison, items: Iterable[Sequence[Map]]) -> Comparison:
    """Never say that items differ of which one is plain: handling changes them most."""
    plain = any(
        np.median([np.count_nonzero(one) / one.size for one in maps]) < LEAST_SHARE
        for maps in items
        if maps
    )
    return replace(judged, same=None) if plain and not judged.same else judged


def _candidates(hash_: Hash, reel: Reel, time_s: float) -> list[int]:
    """Return the frames of a video in which to look: near in time, alike, spread."""
    count = len(reel.maps)
    near = np.argsort(np.abs(np.arange(count) * reel.interval_s - time_s))[:NEAR]
    ones = np.bitwise_count(reel.hashes[:, None] ^ mirrored(hash_)).sum(axis=2)
    alike = np.argsort(ones.min(axis=1), kind="stable")[:ALIKE]
    spread = np.linspace(0, count - 1, SPREAD).astype(int)
    wanted = [*near[:1], *alike, *near[1:], *spread]
    return list(dict.fromkeys(int(number) for number in wanted))


def _known(transform: Transform | None, *, inverse: bool = False) -> Known:
    """Return how the first lies on the second, from what happened to the first."""
    if transform is None:
        return {}
    # Seen in a mirror, a turn and its opposite are the same.
    back = inverse and not transform.flipped
    turn_deg = transform.rotation_deg if back else -transform.rotation_deg
    return {"turn_deg": turn_deg, "flipped": transform.flipped}


def _judged(
    scores: Sequence[float],
    correlations: Sequence[float],
    scale: Scale,
    tries: float = 1.0,
) -> Comparison:
    """Judge by half of what was looked for; nothing looked for tells nothing."""
    if not scores:
        return Comparison(similarity=0.0, same=None, p_value=1.0)
    matching = sum(score >= scale.same for score in scores)
    strange = sum(score < scale.other for score in scores)
    same = None
    if 2 * matching >= len(scores):
        same = True
    elif 2 * strange > len(scores) and not matching:
        same = False
    return Comparison(
        similarity=min(1.0, float(np.mean(correlations))),
        same=same,
        p_value=min(1.0, tries * len(scores) * scale.chance(max(scores))),
    )
