from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.kernels import ecc

Bits = NDArray[np.uint8]

CRC_CHECK_VALUE = 0x29B1  # of the ASCII digits 1 to 9, for CRC-16/CCITT-FALSE

bits_64 = st.integers(0, 2**64 - 1).map(lambda number: to_bits(number, 64))


def to_bits(number: int, count: int) -> Bits:
    return np.array([number >> i & 1 for i in reversed(range(count))], np.uint8)


def crc16_by_table(content: bytes) -> int:
    table = []
    for top in range(256):
        value = top << 8
        for _ in range(8):
            value = value << 1 ^ (0x1021 if value & 0x8000 else 0)
        table.append(value & 0xFFFF)
    crc = 0xFFFF
    for byte in content:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return crc


def codebook(code: ecc.PolarCode) -> NDArray[np.float64]:
    """All codewords as signs, one row for each message."""
    count = code.message_bits
    words = [code.encode(to_bits(number, count)) for number in range(1 << count)]
    return 1 - 2.0 * np.array(words)


def noisy(code: ecc.PolarCode, word: Bits, ebn0_db: float, seed: int) -> NDArray:
    """Send a word as signs through white noise."""
    ebn0 = 10 ** (ebn0_db / 10)
    deviation = np.sqrt(code.slots / (2 * code.message_bits * ebn0))
    noise = np.random.default_rng(seed).normal(0, deviation, code.slots)
    return (1 - 2.0 * word + noise).astype(np.float32)


def test_crc_has_the_published_check_value() -> None:
    digits = np.frombuffer(b"123456789", np.uint8)
    assert crc16_by_table(digits.tobytes()) == CRC_CHECK_VALUE
    assert ecc.crc16(np.unpackbits(digits)) == CRC_CHECK_VALUE


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_crc_equals_the_table(content: bytes) -> None:
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    assert ecc.crc16(bits) == crc16_by_table(content)


@pytest.mark.parametrize("stages", range(8))
def test_transform_is_the_kronecker_power(stages: int) -> None:
    matrix = np.ones((1, 1), np.int64)
    for _ in range(stages):
        matrix = np.kron(np.array([[1, 0], [1, 1]]), matrix)
    word = np.random.default_rng(stages).integers(0, 2, 1 << stages, dtype=np.uint8)
    expected = word @ matrix % 2
    ecc._transform(word)
    np.testing.assert_array_equal(word, expected)


@settings(deadline=None)
@given(bits_64, bits_64, bits_64)
def test_codewords_form_an_affine_code(a: Bits, b: Bits, c: Bits) -> None:
    code = ecc.PolarCode(64, 300)
    together = code.encode(a) ^ code.encode(b) ^ code.encode(c)
    np.testing.assert_array_equal(together, code.encode(a ^ b ^ c))


@settings(deadline=None)
@given(
    message=st.lists(st.integers(0, 1), min_size=1, max_size=64),
    spare=st.integers(0, 900),
)
def test_any_message_comes_back_at_any_length(message: list[int], spare: int) -> None:
    sent = np.array(message, np.uint8)
    code = ecc.PolarCode(sent.size, sent.size + ecc.CRC_BITS + spare)
    word = code.encode(sent)
    assert word.shape == (code.slots,)
    assert word.dtype == np.uint8
    assert word.max(initial=0) <= 1
    np.testing.assert_array_equal(code.decode(np.float32(1) - 2 * word), sent)


@pytest.mark.parametrize("slots", [400, 512, 782, 1100])
def test_corrects_noise_at_two_decibels(slots: int) -> None:
    code = ecc.PolarCode(64, slots)
    rng = np.random.default_rng(slots)
    good = wrong = 0
    for trial in range(100):
        sent = rng.integers(0, 2, 64, dtype=np.uint8)
        got = code.decode(noisy(code, code.encode(sent), 2.0, trial))
        good += got is not None and np.array_equal(got, sent)
        wrong += got is not None and not np.array_equal(got, sent)
    assert good >= 95
    assert wrong == 0


def test_survives_the_loss_of_a_third_of_the_word() -> None:
    code = ecc.PolarCode(64, 782)
    rng = np.random.default_rng(1)
    good = 0
    for _ in range(50):
        sent = rng.integers(0, 2, 64, dtype=np.uint8)
        llr = np.float32(1) - 2 * code.encode(sent)
        llr[rng.permutation(code.slots)[: code.slots // 3]] = 0
        got = code.decode(llr)
        good += got is not None and np.array_equal(got, sent)
    assert good >= 49


def test_a_short_list_is_nearly_maximum_likelihood() -> None:
    code = ecc.PolarCode(8, 40)
    book = codebook(code)
    rng = np.random.default_rng(2)
    same = 0
    for _ in range(300):
        llr = book[rng.integers(256)] + rng.normal(0, 0.7, code.slots)
        got = code.decode(llr.astype(np.float32))
        best = to_bits(int(np.argmax(book @ llr)), 8)
        same += got is not None and np.array_equal(got, best)
    assert same >= 290


def test_an_exhaustive_list_is_maximum_likelihood() -> None:
    # With a path for each of the 2^17 words nothing is pruned, and the penalties
    # must rank the codewords as their correlation with the evidence does.
    code = ecc.PolarCode(1, 29)
    book = codebook(code)
    rng = np.random.default_rng(3)
    answers = set()
    for _ in range(20):
        llr = rng.normal(size=code.slots).astype(np.float32)
        full = np.zeros(code.length, np.float32)
        full[code.length - code.slots :] = llr
        bits, found = ecc._decode(full, code._frozen, code._places, 1 << 17)
        assert found
        assert bits[0] == np.argmax(book @ llr)
        answers.add(int(bits[0]))
    assert answers == {0, 1}


def test_noise_alone_is_hardly_ever_a_message() -> None:
    # Sixteen paths, each passing the checksum once in 65536: 0.07 in 300 expected.
    code = ecc.PolarCode(64, 782)
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(300, code.slots)).astype(np.float32)
    assert sum(code.decode(llr) is not None for llr in draws) <= 2


@settings(max_examples=25, deadline=None)
@given(message=bits_64, seed=st.integers(0, 2**32 - 1), power=st.integers(-20, 20))
def test_decoding_ignores_the_scale_of_the_evidence(
    message: Bits, seed: int, power: int
) -> None:
    code = ecc.PolarCode(64, 500)
    llr = noisy(code, code.encode(message), 1.5, seed)
    before = llr.copy()
    first, again = code.decode(llr), code.decode(llr * np.float32(2.0**power))
    np.testing.assert_array_equal(llr, before)
    assert (first is None) == (again is None)
    if first is not None:
        np.testing.assert_array_equal(first, again)


def test_no_evidence_is_no_message() -> None:
    code = ecc.PolarCode(64, 782)
    assert code.decode(np.zeros(code.slots, np.float32)) is None
    broken = np.full(code.slots, np.nan, np.float32)
    assert code.decode(broken) is None
