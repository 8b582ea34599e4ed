"""Interprets a program for one event: windows, aggregates, formulas. Compiled.

Every window ends at the index of the event in the log and has the others of it; the event itself is added by the formulas.
"""

from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import borrowing
from app.profiles.aggregates import (
    COUNT,
    DISTINCT,
    LARGEST,
    NEWEST,
    NONE,
    OLDEST,
    SMALLEST,
    SQUARES,
    SUM,
    Integers,
    Table,
    clock,
    counts,
    distinct,
    largest,
    newest,
    oldest,
    smallest,
    squares,
    sums,
)
from app.profiles.event_log import behind
from app.profiles.formulas import PREVIOUS, Terms, formula
from app.profiles.kept import FLAGS, TIMES
from app.profiles.program import Program, Records

Row = NDArray[np.float64]
_MOST_SLOTS = 4


class Position(NamedTuple):
    """Where in the log the current event belongs."""

    first: int
    """Index of the log's first event."""
    end: int
    """Index of the current event: its windows have the events before."""
    before_ms: int
    """Time of the event before it, also if that is no longer in the log."""


class Scratch(NamedTuple):
    """Buffers for one customer's events and one event's results, reused for the next."""

    log: Integers
    span: Integers
    marks: Integers
    """The flags of each event, with those of ``same``."""
    edges: Integers
    """The index of the current event, then the index of the first event of each window."""
    results: Integers
    """Shape (slots, windows)."""
    table: Table


def allocate_scratch(program: Program, rows: int, events: int) -> Scratch:
    """Allocate the buffers for profiles of at most this many events."""
    places = 2 << (events.bit_length() if (program.aggregates["group"] == DISTINCT).any() else 0)
    windows = max(len(program.windows_ms), 1)
    return Scratch(
        np.empty((rows, events), np.int64),
        np.zeros(2, np.int64),
        np.empty(events, np.int64),
        np.zeros(windows + 1, np.int64),
        np.zeros((program.slots + _MOST_SLOTS, windows), np.int64),
        Table(np.empty(places, np.int64), np.zeros(places, np.int64), np.zeros(1, np.int64)),
    )


@borrowing
def compute(event: Integers, at: Position, program: Program, scratch: Scratch, features: Row) -> None:
    """Write the features of an event; ``event`` is its row of the inputs."""
    log, edges, results, flags = scratch.log, scratch.edges, scratch.results, event[FLAGS]
    find_edges(log[TIMES], event[TIMES], at, program.windows_ms, edges)
    marks = log[FLAGS]
    if len(program.same):
        marks = scratch.marks
        flags |= _mark(log, event, edges, program.same, marks)
    for a in range(len(program.aggregates)):
        asked = program.aggregates[a]
        own = NONE
        if asked.includes and (flags & asked.need) == asked.need:
            own = event[asked.row]
        _aggregate(asked, log[asked.row], marks, edges[: asked.reach + 1], scratch, own)
    for f in range(len(program.formulas)):
        asked_f = program.formulas[f]
        features[asked_f.output] = _feature(asked_f, results, event, flags, at.before_ms)


@borrowing
def find_edges(times: Integers, time_ms: int, at: Position, windows_ms: Integers, edges: Integers) -> None:
    """Write the index of the current event, and of the first event of each window."""
    edges[0] = at.end
    for w in range(len(windows_ms)):
        edges[w + 1] = behind(times, at.first, edges[w], time_ms - windows_ms[w])


@borrowing
def _mark(log: Integers, event: Integers, edges: Integers, same: Records, marks: Integers) -> int:
    """Write the flags of the events of the widest window, with those of ``same``. Returns all flags of ``same``."""
    start, end, all_flags = edges[len(edges) - 1], edges[0], 0
    part, flags = marks[start:end], log[FLAGS, start:end]
    for s in range(len(same)):
        flag, row = same[s].flag, same[s].row
        values, own = log[row, start:end], event[row]
        if same[s].begins:
            _mark_equal(values, own, flag, flags if s == 0 else part, part)
        else:
            _unmark_different(values, own, flag, part)
        all_flags |= flag
    return all_flags


@borrowing
def _mark_equal(values: Integers, own: int, flag: int, flags: Integers, marks: Integers) -> None:
    """Write flags, and one more flag where a value equals the event's own."""
    for i in range(len(marks)):
        marks[i] = flags[i] | (flag if values[i] == own else 0)


@borrowing
def _unmark_different(values: Integers, own: int, flag: int, marks: Integers) -> None:
    """Take the flag away where a value of a further field differs."""
    for i in range(len(marks)):
        marks[i] &= -1 if values[i] == own else ~flag


@borrowing
def _aggregate(  # noqa: C901  # one case for each group
    asked: Any, values: Integers, flags: Integers, edges: Integers, scratch: Scratch, own: int
) -> None:
    group, need, out = asked.group, asked.need, scratch.results[asked.slot :]
    if group == COUNT:
        counts(flags, edges, need, out)
    elif group == SUM:
        sums(flags, values, edges, need, out)
    elif group == SQUARES:
        squares(flags, values, edges, need, out)
    elif group == SMALLEST:
        smallest(flags, values, edges, need, out)
    elif group == LARGEST:
        largest(flags, values, edges, need, out)
    elif group == NEWEST:
        newest(flags, values, edges, need, out)
    elif group == OLDEST:
        oldest(flags, values, edges, need, out)
    elif group == DISTINCT:
        distinct(flags, values, edges, need, scratch.table, own, out)
    else:
        clock(flags, values, edges, need, out)


@borrowing
def _feature(asked: Any, results: Integers, event: Integers, flags: int, before_ms: int) -> float:
    if asked.kind == PREVIOUS:
        return nan if before_ms == NONE else (event[TIMES] - before_ms) / 1000
    if (flags & asked.requires) != asked.requires:
        return nan
    slot, window = asked.slot, asked.window
    terms = Terms(
        results[slot, window],
        results[slot + 1, window],
        results[slot + 2, window],
        results[slot + 3, window],
        asked.includes * ((flags & asked.need) == asked.need),
        event[asked.row],
        asked.scale,
        results[asked.all_slot, window],
        asked.includes * ((flags & asked.all_need) == asked.all_need),
        event[TIMES],
    )
    return formula(asked.kind, terms)
