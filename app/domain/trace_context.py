"""The W3C Trace Context of a record: its headers ``traceparent`` and ``tracestate``, by the grammar of the recommendation.

Anyone with the right to produce writes these headers, and they are copied into every decision and alert: what does not keep
the grammar is left out, and what is copied has a bound. https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Sequence

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
MAX_TRACESTATE_BYTES = 512
"""The length that the recommendation requires every system to pass on. A longer one is left out."""
MAX_MEMBERS = 32

_ANY_VERSION = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})"
    rb"(?P<ids>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
    rb"(?P<rest>-[ -~]*)?"
)
_VERSION = b"00"
"""The version whose fields are known. A later one begins with the same fields."""
_MEMBER = re.compile(
    rb"[a-z0-9][a-z0-9_\-*/@]{0,255}"
    rb"=[ !-+\--<>-~]{0,255}[!-+\--<>-~]"
)
_SPACE = b" \t"

Headers = Sequence[tuple[str, bytes | None]]


def trace_headers(headers: Headers) -> list[tuple[str, bytes]]:
    """The valid trace context among the headers of a record: ``traceparent``, and ``tracestate`` where it is valid too."""
    parents = [value for name, value in headers if name == TRACEPARENT]
    if len(parents) != 1 or (parent := _parent(parents[0])) is None:
        return []
    state = _state([value for name, value in headers if name == TRACESTATE])
    return [(TRACEPARENT, parent), *([(TRACESTATE, state)] if state else [])]


def _parent(value: bytes | None) -> bytes | None:
    """The header in the known version; None if it is not valid."""
    found = _ANY_VERSION.fullmatch(value or b"")
    if found is None or (found["version"] == _VERSION and found["rest"] is not None):
        return None
    return _VERSION + found["ids"]


def _state(values: Sequence[bytes | None]) -> bytes:
    """The members of all headers as one; empty if they are not valid, or too many or too long."""
    if None in values or sum(len(value or b"") + 1 for value in values) > MAX_TRACESTATE_BYTES + 1:
        return b""
    members = [member.strip(_SPACE) for value in values for member in (value or b"").split(b",")]
    members = [member for member in members if member]
    keys = {member.partition(b"=")[0] for member in members}
    if len(members) > MAX_MEMBERS or len(keys) < len(members) or not all(map(_MEMBER.fullmatch, members)):
        return b""
    return b",".join(members)
