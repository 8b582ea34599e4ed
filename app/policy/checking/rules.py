"""Checks the rules: ``[[rules]]``."""

from datetime import UTC, date, datetime, time, timedelta

from app.checking.problems import shown
from app.checking.table import Table, described
from app.domain.outcomes.policy import Effect, RuleMode
from app.policy.bounds import MOST_OWNER_CHARACTERS, MOST_REASON_CHARACTERS, MOST_RULES
from app.policy.checking.conditions import condition
from app.policy.checking.examples import rule_tests
from app.policy.checking.lists import Scope
from app.policy.checking.values import printable, required_text, share, word
from app.policy.definitions import Rule

KEYS = ("id", "when", "then", "mode", "reason", "text", "owner", "expires", "max_hit_rate", "tests")
_ID = r"[a-z][a-z0-9_-]{0,63}"
_REASON = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MOST_REASON_CHARACTERS - 1}}}"
_LAST_YEAR = 9998
"""The day after the last one has four digits for its year, too."""


def rules(file: Table, scope: Scope) -> tuple[Rule, ...]:
    """The rules without a problem."""
    found, taken, count = [], set[str](), 0
    for count, table in enumerate(file.items("rules"), start=1):
        if count <= MOST_RULES:
            found.append(_rule(table, scope, taken))
    if count > MOST_RULES:
        file.refuse(f"{count} rules; at most {MOST_RULES} are allowed", at="rules")
    return tuple(filter(None, found))


def _rule(table: Table, scope: Scope, taken: set[str]) -> Rule | None:
    table.expect(*KEYS)
    identifier = _identifier(table, taken)
    when, then = condition(table, "when", scope), word(table, "then", Effect)
    mode = word(table, "mode", RuleMode, RuleMode.SHADOW)
    reason = required_text(
        table,
        "reason",
        'reason = "R12"',
        _REASON,
        "a code of letters, digits, points, dashes and underscores",
    )
    text = printable(table, "text", example='text = "Night payments from a new device"')
    owner = printable(table, "owner", MOST_OWNER_CHARACTERS, 'owner = "fraud-desk"')
    expires = _expires(table)
    most = share(table, "max_hit_rate", 1.0, zero=False)
    tests = rule_tests(table, scope)
    if when is None or then is None or mode is None or expires is None or not table.is_sound:
        return None
    return Rule(
        id=identifier,
        when=when,
        then=then,
        mode=mode,
        reason=reason,
        text=text,
        owner=owner,
        expires=expires,
        expires_ms=_end_ms(expires),
        max_hit_rate=most,
        tests=tests,
    )


def _identifier(table: Table, taken: set[str]) -> str:
    identifier = required_text(
        table,
        "id",
        'id = "night-payment"',
        _ID,
        "a small letter, then small letters, digits, dashes and underscores, at most 64",
    )
    if identifier in taken:
        table.refuse(f"'{shown(identifier)}' is the id of another rule", "choose another one", at="id")
    if identifier:
        taken.add(identifier)
    return identifier


def _expires(table: Table) -> date | None:
    value, remedy = table.raw("expires"), "write the last day of the rule, as in expires = 2027-06-30"
    if type(value) is date and value.year <= _LAST_YEAR:
        return value
    if "expires" not in table:
        table.refuse("expires is missing", remedy)
    elif type(value) is date:
        table.refuse("the year is not below 9999", remedy, at="expires")
    else:
        kind = "a time" if isinstance(value, datetime | time) else described(value)
        table.refuse(f"a day is expected here, not {kind}", remedy, at="expires")
    return None


def _end_ms(day: date) -> int:
    """The first millisecond after a day, UTC."""
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    return int(end.timestamp()) * 1000
