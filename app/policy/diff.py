"""The differences of two policies."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from app.checking.differences import DefinitionDifference, Facts, compared
from app.expressions import printer
from app.policy.definitions import Band, Policy, Rule


def differences(old: Policy, new: Policy) -> list[DefinitionDifference]:
    """The differences, in the order of the new policy; what is removed comes last of its kind. Name and version are no part."""
    return [
        *compared("policy", {"": _of_head(old)}, {"": _of_head(new)}),
        *compared(
            "list", *({each.name: {"kind": str(each.kind)} for each in one.lists} for one in (old, new))
        ),
        *compared("rule", *({rule.id: of_rule(rule) for rule in one.rules} for one in (old, new))),
        *compared(
            "band", *({str(n): of_band(band) for n, band in enumerate(one.bands)} for one in (old, new))
        ),
        *_sections(old, new),
    ]


def of_rule(rule: Rule) -> dict[str, str]:
    """A rule in words, its condition in its normal form."""
    return {
        "when": printer.text(rule.when),
        "then": str(rule.then),
        "mode": str(rule.mode),
        "reason": rule.reason,
        "text": rule.text,
        "owner": rule.owner,
        "expires": rule.expires.isoformat(),
        "max_hit_rate": f"{rule.max_hit_rate:g}",
        "tests": str(len(rule.tests)),
    }


def of_band(band: Band) -> dict[str, str]:
    """A band in words."""
    return {
        "when": "every transaction" if band.when is None else printer.text(band.when),
        "review": f"{band.thresholds.review:g}",
        "decline": f"{band.thresholds.decline:g}",
    }


def of_section(section: msgspec.Struct | None) -> dict[str, str]:
    """A deadline, holdout or budget in words; empty where there is none."""
    found = {} if section is None else msgspec.structs.asdict(section)
    channels = found.pop("channels", {})
    return {key: str(value) for key, value in found.items()} | {
        f"channels.{channel}": str(outcome) for channel, outcome in sorted(channels.items())
    }


def _of_head(policy: Policy) -> Facts:
    return {
        "reference_currency": policy.reference_currency,
        "hit_rate_window": str(policy.hit_rate_window),
    }


def _sections(old: Policy, new: Policy) -> Iterator[DefinitionDifference]:
    names: tuple[Literal["deadline", "holdout", "budget"], ...] = ("deadline", "holdout", "budget")
    for name in names:
        before, after = (
            {"": facts} if (facts := of_section(getattr(one, name))) else {} for one in (old, new)
        )
        yield from compared(name, before, after)
