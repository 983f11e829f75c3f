from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import ecc

Bits = NDArray[np.uint8]

SHORT = (0b111, 0b101)  # four states
ALL_STATES = 1 << 13  # of the default generators' register, without the newest bit

bits_64 = st.integers(0, 2**64 - 1).map(lambda number: to_bits(number, 64))


def to_bits(number: int, count: int) -> Bits:
    return np.array([number >> i & 1 for i in reversed(range(count))], np.uint8)


def codeword(code: ecc.TailBitingCode, message: Bits, taps: tuple[int, ...]) -> Bits:
    """Sum the message, turned by the age of each tap, once for each generator."""
    size = taps[0].bit_length()
    rounds = [
        reduce(
            np.bitwise_xor,
            [
                np.roll(message, age)
                for age in range(size)
                if taps[i % len(taps)] >> (size - 1 - age) & 1
            ],
        )
        for i in range(code.slots // code.message_bits + 1)
    ]
    return np.concatenate(rounds)[: code.slots]


def codebook(code: ecc.TailBitingCode) -> NDArray[np.float32]:
    """All codewords as signs, one row for each message."""
    count = code.message_bits
    rows = np.array([code.encode(row) for row in np.eye(count, dtype=np.uint8)])
    messages = np.arange(1 << count)[:, None] >> np.arange(count)[::-1] & 1
    return (1 - 2 * (messages @ rows.astype(np.float32) % 2)).astype(np.float32)


def decode_thoroughly(code: ecc.TailBitingCode, soft: NDArray[np.float32]) -> Bits:
    """Try every starting state that the default decoder may give up."""
    rounds = np.zeros((len(code._taps), code.message_bits), np.float32)
    rounds.ravel()[: code.slots] = soft
    gains = rounds.T @ ecc._signs(code._taps)
    bits, found = ecc._decode(gains, np.float32(0), ALL_STATES)
    assert found
    return bits


def noisy(code: ecc.TailBitingCode, word: Bits, ebn0_db: float, seed: int) -> NDArray:
    """Send a word as signs through white noise."""
    ebn0 = 10 ** (ebn0_db / 10)
    deviation = np.sqrt(code.slots / (2 * code.message_bits * ebn0))
    noise = np.random.default_rng(seed).normal(0, deviation, code.slots)
    return (1 - 2.0 * word + noise).astype(np.float32)


def correct(code: ecc.TailBitingCode, ebn0_db: float, trials: int) -> int:
    rng = np.random.default_rng(code.slots)
    good = 0
    for trial in range(trials):
        sent = rng.integers(0, 2, code.message_bits, dtype=np.uint8)
        got = code.decode(noisy(code, code.encode(sent), ebn0_db, trial))
        good += got is not None and np.array_equal(got, sent)
    return good


def test_generators_use_the_whole_register_and_differ() -> None:
    sizes = {taps.bit_length() for taps in ecc.GENERATORS}
    assert sizes == {14}
    assert all(taps & 1 for taps in ecc.GENERATORS)
    assert len(set(ecc.GENERATORS)) == len(ecc.GENERATORS)


def test_the_first_two_generators_have_no_common_factor() -> None:
    a, b = ecc.GENERATORS[:2]
    while b:
        while a.bit_length() >= b.bit_length():
            a ^= b << (a.bit_length() - b.bit_length())
        a, b = b, a
    assert a == 1


@settings(deadline=None)
@given(st.integers(14, 80), st.integers(28, 1400), st.randoms())
def test_codewords_are_sums_of_the_turned_message(
    count: int, slots: int, random: object
) -> None:
    message = to_bits(random.getrandbits(count), count)  # type: ignore[attr-defined]
    code = ecc.TailBitingCode(count, slots)
    word = code.encode(message)
    assert word.dtype == np.uint8
    np.testing.assert_array_equal(word, codeword(code, message, ecc.GENERATORS))


@settings(deadline=None)
@given(bits_64, bits_64)
def test_codewords_form_a_linear_code(a: Bits, b: Bits) -> None:
    code = ecc.TailBitingCode(64, 300)
    np.testing.assert_array_equal(code.encode(a) ^ code.encode(b), code.encode(a ^ b))


@settings(deadline=None)
@given(
    message=st.lists(st.integers(0, 1), min_size=14, max_size=96),
    spare=st.integers(0, 900),
)
def test_any_message_comes_back_at_any_length(message: list[int], spare: int) -> None:
    sent = np.array(message, np.uint8)
    code = ecc.TailBitingCode(sent.size, 2 * sent.size + spare)
    word = code.encode(sent)
    assert word.shape == (code.slots,)
    np.testing.assert_array_equal(code.decode(np.float32(1) - 2 * word), sent)


@pytest.mark.parametrize("slots", [400, 512, 782, 1100])
def test_corrects_noise_at_one_decibel(slots: int) -> None:
    assert correct(ecc.TailBitingCode(64, slots), 1.0, 200) >= 196


def test_is_stronger_than_short_registers() -> None:
    # No code fails less often than in 2.5 % of cases at 0 dB (Shannon 1959).
    assert correct(ecc.TailBitingCode(64, 782), 0.0, 400) >= 370
    short = ecc.TailBitingCode(64, 782, (0o133, 0o171, 0o165))
    assert 200 <= correct(short, 0.0, 400) < 340


def test_survives_the_loss_of_two_thirds_of_the_word() -> None:
    code = ecc.TailBitingCode(64, 782)
    rng = np.random.default_rng(1)
    for _ in range(50):
        sent = rng.integers(0, 2, 64, dtype=np.uint8)
        soft = np.float32(1) - 2 * code.encode(sent)
        soft[rng.permutation(code.slots)[: 2 * code.slots // 3]] = 0
        np.testing.assert_array_equal(code.decode(soft), sent)


def test_weights_tell_good_slots_from_bad_ones() -> None:
    code = ecc.TailBitingCode(64, 782)
    rng = np.random.default_rng(2)
    good = blind = 0
    for _ in range(60):
        sent = rng.integers(0, 2, 64, dtype=np.uint8)
        deviation = np.where(rng.random(code.slots) < 0.5, 1.4, 8.0)
        received = 1 - 2.0 * code.encode(sent) + rng.normal(0, deviation)
        ratios = (received / deviation**2).astype(np.float32)
        good += np.array_equal(code.decode(ratios), sent)
        blind += np.array_equal(code.decode(received.astype(np.float32)), sent)
    assert good >= 57
    assert blind <= 20


@pytest.mark.parametrize("slots", [30, 45, 64])
def test_trying_every_start_is_maximum_likelihood(slots: int) -> None:
    code = ecc.TailBitingCode(14, slots)
    book = codebook(code)
    assert len(np.unique(book, axis=0)) == 1 << 14
    rng = np.random.default_rng(slots)
    for _ in range(15):
        soft = book[rng.integers(1 << 14)] + rng.normal(0, 1.2, slots)
        soft = soft.astype(np.float32)
        best = to_bits(int(np.argmax(book @ soft)), 14)
        np.testing.assert_array_equal(decode_thoroughly(code, soft), best)


def test_four_states_are_maximum_likelihood() -> None:
    # Sixteen starts try every state, so that nothing is left to chance.
    code = ecc.TailBitingCode(10, 20, SHORT)
    book = codebook(code)
    rng = np.random.default_rng(3)
    answers = set()
    for _ in range(300):
        soft = rng.normal(size=20).astype(np.float32)
        best = int(np.argmax(book @ soft))
        np.testing.assert_array_equal(code.decode(soft), to_bits(best, 10))
        answers.add(best)
    assert len(answers) > 100


def test_sixteen_starts_are_nearly_maximum_likelihood() -> None:
    code = ecc.TailBitingCode(64, 782)
    rng = np.random.default_rng(4)
    worse = 0
    for trial in range(100):
        sent = code.encode(rng.integers(0, 2, 64, dtype=np.uint8))
        soft = noisy(code, sent, 0.0, trial)
        got = code.decode(soft)
        assert got is not None
        agreement = (1 - 2.0 * code.encode(got)) @ soft
        worse += agreement < (1 - 2.0 * sent) @ soft
    assert worse <= 2


def test_an_agreement_asked_for_is_reached_or_nothing_is_found() -> None:
    code = ecc.TailBitingCode(64, 782)
    rng = np.random.default_rng(5)
    for trial in range(20):
        sent = rng.integers(0, 2, 64, dtype=np.uint8)
        soft = noisy(code, code.encode(sent), 1.5, trial)
        agreement = float((1 - 2.0 * code.encode(sent)) @ soft)
        np.testing.assert_array_equal(code.decode(soft, 0.99 * agreement), sent)
        assert code.decode(soft, 1.01 * agreement) is None


def test_noise_does_not_agree_as_a_mark_would() -> None:
    # By Hoeffding's bound over all 2^64 codewords: a chance of one in 10^9 at most.
    code = ecc.TailBitingCode(64, 782)
    rng = np.random.default_rng(6)
    for _ in range(300):
        soft = rng.normal(size=code.slots).astype(np.float32)
        exponent = 64 * np.log(2) + 9 * np.log(10)
        assert code.decode(soft, np.sqrt(2 * exponent * (soft @ soft))) is None


@settings(max_examples=25, deadline=None)
@given(message=bits_64, seed=st.integers(0, 2**32 - 1), power=st.integers(-20, 20))
def test_decoding_ignores_the_scale_of_the_evidence(
    message: Bits, seed: int, power: int
) -> None:
    code = ecc.TailBitingCode(64, 500)
    soft = noisy(code, code.encode(message), 0.0, seed)
    before = soft.copy()
    first, again = code.decode(soft), code.decode(soft * np.float32(2.0**power))
    np.testing.assert_array_equal(soft, before)
    assert first is not None
    np.testing.assert_array_equal(first, again)


def test_no_evidence_is_no_message() -> None:
    code = ecc.TailBitingCode(64, 782)
    assert code.decode(np.zeros(code.slots, np.float32)) is None
    broken = np.full(code.slots, np.nan, np.float32)
    assert code.decode(broken) is None
