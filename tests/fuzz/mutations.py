"""Damages bytes: bits, lengths, cuts, repetitions, and pieces of another input."""

import struct
from collections.abc import Callable, Sequence
from random import Random

from tests.support.wire.record_batches import varint

Mutation = Callable[[bytes, Random], bytes]

NUMBERS = (-(2**63), -(2**31), -2, -1, 0, 1, 63, 64, 127, 128, 255, 2**15, 2**31 - 1, 2**31, 2**40, 2**63 - 1)
MOST_REPEATS = 2_000
MOST_BYTES = 100_000
"""Repetitions of repetitions are cut here: large inputs are a matter of the topic's limit, not of the decoder."""
TOKENS = (
    *(b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x92\xb3", b"\xc0\xaf", b"\r\n", b'"'),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"null",
        b"NaN",
        b"-0",
        b"1e999",
        b"1E-999",
        b"\\u0000",
        b"\\ud800",
    ),
    *(b"9" * 400, b"\\", b"true", b"4111111111111111", b"\x80" * 12, b"\x0b\x0b\x0b", b"\x0c"),
)


def mutated(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """``data`` with one to four damages; pieces of ``others`` may be spliced in."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        kind = random.randrange(len(_MUTATIONS) + 1)
        if kind == len(_MUTATIONS):
            data = _splice(data, random, random.choice(others))
        else:
            data = _MUTATIONS[kind](data, random)
    return data[:MOST_BYTES]


def _flip_bit(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :] if data else data


def _set_byte(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: _at(data, random)]


def _delete(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + data[at + random.randrange(1, 16) :]


def _insert_token(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + random.choice(TOKENS) + data[at:]


def _insert_noise(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + random.randbytes(random.randrange(1, 32)) + data[at:]


def _repeat(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    end = at + random.randrange(1, 8)
    return data[:at] + data[at:end] * random.randrange(2, MOST_REPEATS) + data[end:]


def _write_number(data: bytes, random: Random) -> bytes:
    """Overwrite a field of fixed width, as lengths and counts are."""
    at, order = _at(data, random), random.choice("<>")
    size, code = random.choice(((2, "H"), (4, "I"), (8, "Q")))
    number = struct.pack(order + code, random.choice(NUMBERS) % (1 << 8 * size))
    return data[:at] + number + data[at + size :]


def _write_varint(data: bytes, random: Random) -> bytes:
    """Overwrite a byte by a varint: most lengths and counts take one byte."""
    at = _at(data, random)
    return data[:at] + varint(random.choice(NUMBERS)) + data[at + 1 :]


def _splice(data: bytes, random: Random, other: bytes) -> bytes:
    return data[: _at(data, random)] + other[_at(other, random) :]


def _at(data: bytes, random: Random) -> int:
    return random.randrange(len(data)) if data else 0


_MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bit, _set_byte, _truncate, _delete, _insert_token, _insert_noise, _repeat),
    *(_write_number, _write_varint),
)
