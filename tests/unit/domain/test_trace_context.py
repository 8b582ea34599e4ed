"""Only headers that keep the grammar of W3C Trace Context are copied into outputs, within a bound."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.trace_context import MAX_TRACESTATE_BYTES, trace_headers

TRACE, SPAN = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
PARENT = b"00-" + TRACE + b"-" + SPAN + b"-01"
SOUND = ("traceparent", PARENT)
"""The example of the recommendation."""


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"00-1",
        b"x" * 513,
        PARENT.upper(),
        PARENT + b"\n",
        b" " + PARENT,
        PARENT + b"-what-follows",
        PARENT[:-1],
        b"ff" + PARENT[2:],
        b"0x" + PARENT[2:],
        b"00-" + b"0" * 32 + b"-" + SPAN + b"-01",
        b"00-" + TRACE + b"-" + b"0" * 16 + b"-01",
        b"01" + PARENT[2:] + b"x",
        b"01" + PARENT[2:] + b"-\xff",
        b"01" + PARENT[2:] + b"-\x1b[2J",
    ],
)
def test_without_a_valid_parent_nothing_is_copied(value: bytes | None) -> None:
    assert trace_headers([("traceparent", value), ("tracestate", b"bank=1")]) == []


def test_a_parent_of_a_later_version_is_copied_in_the_known_one() -> None:
    later = b"cc" + PARENT[2:] + b"-what-follows" * 100

    assert trace_headers([("traceparent", later)]) == [SOUND]


def test_two_parents_are_none() -> None:
    assert trace_headers([SOUND, SOUND]) == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b",",
        b"bank",
        b"bank=",
        b"=1",
        b"Bank=1",
        b"bank=1\n",
        b"bank=\x1b[2J",
        b"bank=\xff",
        b"bank=a=b",
        b"bank=1,bank=2",
        b"k" * 257 + b"=1",
        b"k=" + b"v" * 258,
        b",".join(b"k%d=1" % number for number in range(33)),
        b"a=" + b"1" * 250 + b",b=" + b"1" * 250 + b",c=123456789",
    ],
)
def test_a_state_that_is_not_valid_is_left_out_and_the_parent_stays(value: bytes | None) -> None:
    assert trace_headers([SOUND, ("tracestate", value)]) == [SOUND]


def test_a_null_state_beside_a_valid_one_is_not_valid() -> None:
    assert trace_headers([SOUND, ("tracestate", b"bank=1"), ("tracestate", None)]) == [SOUND]


def test_members_of_several_headers_are_one_state_without_the_spaces_between() -> None:
    parts = [("tracestate", b"fw529a3039@dt=FfAw--, \tbank/a-b_c*=t 61 ,"), ("tracestate", b"0k=!+-<>~")]

    assert trace_headers([*parts, ("other", None), SOUND]) == [
        SOUND,
        ("tracestate", b"fw529a3039@dt=FfAw--,bank/a-b_c*=t 61,0k=!+-<>~"),
    ]


def test_the_longest_state_is_copied_whole() -> None:
    state = b"a=" + b"1" * 251 + b",b=" + b"1" * 256
    assert len(state) == MAX_TRACESTATE_BYTES

    assert trace_headers([SOUND, ("tracestate", state)]) == [SOUND, ("tracestate", state)]


keys = st.from_regex(re.compile(rb"[a-z0-9][a-z0-9_*/@-]{0,8}"), fullmatch=True)
texts = st.from_regex(re.compile(rb"[ !-+\--<>-~]{0,8}[!-+\--<>-~]"), fullmatch=True)
states = st.dictionaries(keys, texts, min_size=1, max_size=20).map(
    lambda members: b",".join(key + b"=" + text for key, text in members.items())
)
parents = st.from_regex(re.compile(rb"00-[0-9a-f]{31}1-[0-9a-f]{15}1-[0-9a-f]{2}"), fullmatch=True)


@given(parents, states)
def test_a_valid_context_is_copied_unchanged(parent: bytes, state: bytes) -> None:
    context = [("traceparent", parent), ("tracestate", state)]

    assert trace_headers([("a", b"1"), *reversed(context)]) == context


odd = st.none() | st.binary(max_size=60) | parents | states | st.just(b"k=" + b"1" * 600)
named = st.sampled_from(["traceparent", "tracestate", "TraceParent", "", "\udcff"])


@given(st.lists(st.tuples(named, odd), max_size=6))
def test_the_copy_of_any_headers_is_valid_and_bounded(
    headers: list[tuple[str, bytes | None]],
) -> None:
    found = trace_headers(headers)

    assert trace_headers(found) == found
    assert [name for name, _ in found] in ([], ["traceparent"], ["traceparent", "tracestate"])
    assert all(len(value) <= MAX_TRACESTATE_BYTES and value.isascii() for _, value in found)
