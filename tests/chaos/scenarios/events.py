"""Invalid, late, repeated and very large events."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from random import Random

from tests.chaos.run import Run
from tests.chaos.scenario import scenario
from tests.chaos.traffic import DAY_MS, START_MS, Sent, transaction, transactions


@scenario("survives: garbage of every kind ends in the dead letters byte for byte; its neighbours are scored")
async def garbage(run: Run) -> None:
    workers = await run.start_workers(2)
    good = transactions(int(20_000 * run.scale), run.seed, 300)
    async with run.sending(mixed(good, spoiled(run), run.random, share=0.33), rate=1_500):
        await asyncio.sleep(run.seconds(5))
        run.note("a third of the records is garbage", fault=True)
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")
    run.expect(all(worker.running for worker in workers), "all workers run")


@scenario("survives: five thousand garbage records a second for half a minute")
async def poison_storm(run: Run) -> None:
    await run.start_workers(2)
    count = int(150_000 * run.scale)
    storm = islice(spoiled(run), count)
    good = transactions(count // 20, run.seed, 300)
    async with run.sending(mixed(good, storm, run.random, share=0.95), rate=5_000):
        run.note("storm", fault=True)
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")


def mixed(good: Iterator[Sent], bad: Iterator[Sent], random: Random, share: float) -> Iterator[Sent]:
    """Mix invalid records among valid ones at a given fraction; end with the valid ones."""
    for record in good:
        while random.random() < share:
            if (malformed := next(bad, None)) is None:
                break
            yield malformed
        yield record


def spoiled(run: Run) -> Iterator[Sent]:
    """Generate invalid records of all kinds, without end."""
    for number in range(10**9):
        sound = transaction(f"c{run.random.randrange(300)}", 10**6 + number, START_MS)
        kind = HUGE if number % EVERY == EVERY - 1 else run.random.choice(KINDS)
        yield kind(sound, run.random)


def _truncated(sound: Sent, random: Random) -> Sent:
    value = sound.value or b""
    return Sent(sound.key, value[: random.randrange(len(value) - 1)], bad=True)


def _flipped(sound: Sent, random: Random) -> Sent:
    """Replace the first byte, the opening brace."""
    return Sent(sound.key, bytes([random.randrange(0x80, 0xFF)]) + (sound.value or b"")[1:], bad=True)


def _field(name: str, value: object) -> Callable[[Sent, Random], Sent]:
    def spoil(sound: Sent, _: Random) -> Sent:
        return Sent(sound.key, json.dumps(json.loads(sound.value or b"") | {name: value}).encode(), bad=True)

    return spoil


def _raw(value: bytes | None) -> Callable[[Sent, Random], Sent]:
    return lambda sound, _: Sent(sound.key, value, bad=True)


KINDS: tuple[Callable[[Sent, Random], Sent], ...] = (
    _truncated,
    _flipped,
    *map(_raw, (None, b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 5_000, b'{"a":' * 5_000)),
    _field("amount_minor", -1),
    _field("amount_minor", "12"),
    _field("amount_minor", 1.5),
    _field("amount_minor", 10**30),
    _field("event_time", 0),
    _field("event_time", START_MS // 1000),
    _field("event_time", START_MS * 1000),
    _field("event_time", (START_MS + 3650 * DAY_MS)),
    _field("customer_id", ""),
    _field("customer_id", "somebody-else"),
    _field("customer_id", "4111111111111111"),
    _field("terminal_id", None),
    lambda sound, _: Sent(None, sound.value, bad=True),
    lambda sound, _: Sent(b"somebody-else", sound.value, bad=True),
)
HUGE = _raw(b'{"transaction_id":"' + b"x" * 900_000 + b'"}')
EVERY = 500
"""One record in this many is nearly as large as the topic allows."""


@scenario("survives: events out of order, a day late, or from before anything a profile keeps")
async def out_of_order(run: Run) -> None:
    await run.start_workers(2)
    async with run.sending(shuffled(run, int(20_000 * run.scale)), rate=1_000):
        run.note("every event up to five minutes or two days out of place", fault=True)
    await run.recovered()


def shuffled(run: Run, count: int) -> Iterator[Sent]:
    """Scatter event times around their order; one in a hundred is in the future, within the allowed five minutes."""
    numbers = [0] * 300
    for number in range(count):
        customer = run.random.randrange(300)
        numbers[customer] += 1
        time_ms = START_MS + number * 28 * DAY_MS // count + run.random.randrange(-300_000, 300_000)
        kind = run.random.random()
        if kind < 0.05:
            time_ms -= run.random.randrange(2 * DAY_MS)
        elif kind < 0.06:
            time_ms = time.time_ns() // 1_000_000 + 200_000
        yield transaction(f"c{customer}", numbers[customer], time_ms, run.random.randrange(100, 100_000))


@scenario("survives: half of all traffic is one customer's; their profile is bounded by a setting")
async def hot_key(run: Run) -> None:
    """Send more events than a profile may hold at the smallest limit: no record becomes too large for its topic."""
    await run.start_workers(2)
    count = int(6_000 * run.scale)
    hot = (transaction("hot", n, START_MS + n * 60_000, terminal=f"m{n % 7}") for n in range(count))
    others = transactions(count, run.seed, 300)
    async with run.sending(chain.from_iterable(zip(hot, others, strict=True)), rate=800):
        run.note("half of the traffic is one customer's", fault=True)
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")


@scenario(
    "stops: an error inside scoring ends the worker with 70, before anything is acknowledged; nothing is lost"
)
async def error_in_scoring(run: Run) -> None:
    """The worker's model raises once after each start."""
    run.run_app("tests.chaos.mutants.scoring_fails")
    await run.start_workers(2)
    async with run.traffic(count=int(20_000 * run.scale), rate=800):
        await run.ended_by_itself()
        run.note("errors so far", fault=True)
    await run.recovered()
