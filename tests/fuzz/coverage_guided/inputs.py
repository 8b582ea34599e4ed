"""The fuzzer's bytes as inputs of a door: a number, which chooses an input of the seeded generator, and bytes in place of its payload."""

from functools import lru_cache
from random import Random
from typing import Any

from tests.fuzz import supervisor
from tests.fuzz.doors.door import Door
from tests.fuzz.mutations import mutated

_NUMBER_BYTES = 4
_FRESH, _DAMAGED = 0.05, 0.4
"""Shares of the changes: another input of the generator, and damages of the kinds that the generator knows."""


class Inputs:
    """The inputs of one door and seed."""

    def __init__(self, door: Door, seed: int) -> None:
        self._payload = door.payload
        self._made = lru_cache(1_000)(lambda number: supervisor.make(door, seed, number))

    def of(self, data: bytes) -> Any:
        """The input that these bytes stand for: any bytes stand for one."""
        made, payload = self._made(int.from_bytes(data[:_NUMBER_BYTES], "big")), data[_NUMBER_BYTES:]
        return made if payload == self._payload.read(made) else self._payload.replace(made, payload)

    def generated(self, number: int) -> bytes:
        """The bytes that stand for the generator's input of this number."""
        return number.to_bytes(_NUMBER_BYTES, "big") + self._payload.read(self._made(number))

    def changed(self, data: bytes, random: Random) -> bytes | None:
        """Other bytes, or None where the fuzzer is to change them by itself."""
        kind = random.random()
        if kind < _FRESH:
            return self.generated(random.randrange(256**_NUMBER_BYTES))
        if kind < _DAMAGED:
            other = self.generated(random.randrange(1_000))[_NUMBER_BYTES:]
            return data[:_NUMBER_BYTES] + mutated(data[_NUMBER_BYTES:], random, [other])
        return None
