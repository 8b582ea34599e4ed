"""Laws of the window primitive: whatever arrives in whatever order, it equals a recount from scratch."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from app.features.window import DAY_MS, HOUR_MS, LONGEST_MS, WIDTHS_MS, Bounds, WindowLog, WindowView

START_MS = 1_522_540_800_000
LATENESS_MS = DAY_MS
BOUNDS = Bounds(LATENESS_MS, 4096)

AMOUNTS = st.one_of(st.integers(0, 10**6), st.integers(2**32 - 2, 2**32 + 2), st.just(10**15))
STEPS_MS = st.one_of(
    st.integers(0, 2),
    st.integers(0, 2 * HOUR_MS),
    st.integers(0, 9 * DAY_MS),
    st.sampled_from([*WIDTHS_MS, *(w - 1 for w in WIDTHS_MS), *(w + 1 for w in WIDTHS_MS), 60 * DAY_MS]),
)


@dataclass(frozen=True)
class Event:
    time_ms: int
    amount: int
    terminal: bytes
    event_id: bytes


@st.composite
def journeys(draw: st.DrawFn, backwards_ms: st.SearchStrategy[int]) -> list[Event]:
    """Events whose clock mostly runs forward and sometimes falls behind the newest by ``backwards_ms``."""
    newest_ms, events = START_MS, []
    for number in range(draw(st.integers(1, 40))):
        newest_ms += draw(STEPS_MS)
        time_ms = newest_ms - (draw(backwards_ms) if draw(st.booleans()) else 0)
        terminal = draw(st.integers(1, 3)).to_bytes(8, "little")
        events.append(Event(time_ms, draw(AMOUNTS), terminal, (1000 + number).to_bytes(8, "big")))
    return events


def recount(seen: list[Event], event: Event, width_ms: int) -> tuple[int, int, int]:
    inside = [e.amount for e in seen if event.time_ms - width_ms < e.time_ms <= event.time_ms]
    return len(inside), sum(inside), sum(a * a for a in inside)


def observe(log: WindowLog, event: Event) -> WindowView:
    return log.observe(event.time_ms, event.amount, event.terminal, event.event_id)


@given(journeys(st.integers(0, LATENESS_MS)))
def test_within_the_allowed_lateness_every_window_equals_a_recount(events: list[Event]) -> None:
    log = WindowLog(BOUNDS)
    for number, event in enumerate(events):
        seen = events[: number + 1]

        view = observe(log, event)

        assert tuple(recount(seen, event, width) for width in WIDTHS_MS) == view.sums
        assert not view.late
        before = [e.time_ms for e in events[:number] if e.time_ms <= event.time_ms]
        newest_ms = max(e.time_ms for e in seen)
        if before and max(before) > newest_ms - BOUNDS.retention_ms:
            assert max(before) == view.previous_ms
        assert view.same_terminal == sum(
            e.terminal == event.terminal and event.time_ms - LONGEST_MS < e.time_ms <= event.time_ms
            for e in seen
        )


@given(journeys(st.integers(0, 50 * DAY_MS)))
def test_an_event_is_late_exactly_beyond_the_allowed_lateness(events: list[Event]) -> None:
    log = WindowLog(BOUNDS)
    newest_ms = events[0].time_ms
    for event in events:
        assert (event.time_ms < newest_ms - LATENESS_MS) == observe(log, event).late
        newest_ms = max(newest_ms, event.time_ms)


@given(journeys(st.integers(0, 50 * DAY_MS)))
def test_however_late_an_event_came_later_events_in_order_see_all_that_arrived(events: list[Event]) -> None:
    log = WindowLog(BOUNDS)
    newest_ms = events[0].time_ms
    for number, event in enumerate(events):
        sums = observe(log, event).sums

        if event.time_ms >= newest_ms:
            newest_ms = event.time_ms
            assert tuple(recount(events[: number + 1], event, width) for width in WIDTHS_MS) == sums


@given(journeys(st.integers(0, 50 * DAY_MS)))
def test_an_event_that_can_still_be_in_a_window_is_remembered_by_its_digest(events: list[Event]) -> None:
    log = WindowLog(BOUNDS)
    for event in events:
        assert not log.holds(event.event_id)
        observe(log, event)
    newest_ms = max(event.time_ms for event in events)

    for event in events:
        if event.time_ms > newest_ms - LONGEST_MS:
            assert log.holds(event.event_id)


@given(journeys(st.integers(0, 50 * DAY_MS)), st.integers(16, 20))
def test_a_log_never_holds_more_than_its_cap_and_then_sums_exactly_what_it_holds(
    events: list[Event], cap: int
) -> None:
    log = WindowLog(Bounds(LATENESS_MS, cap))
    for event in events:
        observe(log, event)

        assert len(log) <= cap
        kept = [
            (log.base_ms + t, a) for t, a in zip(log.times[log.head :], log.amounts[log.head :], strict=True)
        ]
        for i, width in enumerate(WIDTHS_MS):
            inside = [a for t, a in kept if t > log.newest_ms - width]
            assert (sum(inside), sum(a * a for a in inside)) == (log.totals[i], log.squares[i])


@given(journeys(st.integers(0, 50 * DAY_MS)), st.integers(16, 20))
def test_saturation_is_told_exactly_when_an_event_of_the_window_was_pushed_out(
    events: list[Event], cap: int
) -> None:
    log = WindowLog(Bounds(LATENESS_MS, cap))
    newest_ms = events[0].time_ms
    for number, event in enumerate(events):
        sums = observe(log, event).sums

        if event.time_ms >= newest_ms:
            newest_ms = event.time_ms
            for width, found in zip(WIDTHS_MS, sums, strict=True):
                told = log.evicted_ms > event.time_ms - width
                assert told == (recount(events[: number + 1], event, width) != found)


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(0, 3 * DAY_MS))
def test_memory_follows_the_retention_and_not_the_history(events: int, step_ms: int) -> None:
    log = WindowLog(BOUNDS)
    for number in range(events):
        log.observe(START_MS + number * step_ms, 1, bytes(8), number.to_bytes(8, "little"))

    needed = min(events, BOUNDS.retention_ms // step_ms + 1 if step_ms else events)
    assert needed == len(log)
    assert len(log.times) <= 2 * len(log) + 32
