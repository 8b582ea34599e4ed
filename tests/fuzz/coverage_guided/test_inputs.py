"""The fuzzer's bytes as inputs of every door: the generator's inputs can be said, and any bytes stand for an input."""

from random import Random

import pytest

from tests.fuzz import supervisor
from tests.fuzz.coverage_guided.inputs import Inputs
from tests.fuzz.doors import DOORS

SEED = 7


@pytest.mark.parametrize("name", DOORS)
def test_inputs_of_the_generator_can_be_said(name: str) -> None:
    door, inputs = DOORS[name], Inputs(DOORS[name], SEED)

    assert [inputs.of(inputs.generated(number)) for number in range(30)] == [
        supervisor.make(door, SEED, number) for number in range(30)
    ]


@pytest.mark.parametrize("name", DOORS)
def test_the_payload_is_what_the_bytes_say(name: str) -> None:
    """Of each door some payload reaches the input, and any bytes have a documented outcome."""
    door, inputs, random = DOORS[name], Inputs(DOORS[name], SEED), Random(SEED)
    reached = set()
    for number in range(30):
        data = inputs.changed(inputs.generated(number), random) or random.randbytes(number)
        given = inputs.of(data)
        reached.add(door.payload.read(given))

        assert door.decode(given) in door.outcomes

    assert len(reached) > 10
