"""What a feature means, and when its value is missing, in words."""

from collections.abc import Iterable, Mapping

from app.catalog import durations
from app.catalog.definitions import Entity, Feature, Field, Function
from app.catalog.functions import FUNCTIONS
from app.expressions import printer
from app.expressions.names import Kind

_OF_THE_CURRENT_VALUE = {Function.RATIO, Function.ZSCORE, Function.MAX_RATIO, Function.IS_NEW, Function.VALUE}


def definition(feature: Feature) -> str:
    """The definition in one line, without its name, unit and meaning.

    >>> definition(Feature(name="a", entity="customer", function=Function.SUM, of="amount", window_ms=60_000))
    'sum of amount, 1m'
    """
    if feature.derive is not None:
        return printer.text(feature.derive)
    parts = [f"{feature.function} of {feature.of}" if feature.of else str(feature.function)]
    if feature.where is not None:
        parts.append(f"where {printer.text(feature.where)}")
    if feature.same:
        parts.append(f"same {' and '.join(feature.same)}")
    if not feature.includes_current:
        parts.append("current excluded")
    if feature.window_ms:
        parts.append(durations.text(feature.window_ms))
    if feature.delay_ms:
        parts.append(f"delay {durations.text(feature.delay_ms)}")
    return ", ".join(parts)


def of_field(field: Field) -> dict[str, str]:
    """A field by the keys of a catalog file; empty where a key does not apply.

    >>> of_field(Field(name="trust", kind=Kind.NUMBER, minimum=0, maximum=1, decimals=2))["maximum"]
    '1'
    """
    is_number, has_length = field.kind is Kind.NUMBER, field.kind in {Kind.TEXT, Kind.IDENTIFIER}
    return {
        "type": str(field.kind),
        "values": ", ".join(field.values),
        "max_length": str(field.max_length) if has_length else "",
        "minimum": _limit(field.minimum),
        "maximum": _limit(field.maximum),
        "decimals": str(field.decimals) if is_number else "",
        "required": "true" if field.required else "false",
    }


def _limit(limit: float | None) -> str:
    if limit is None:
        return ""
    return str(int(limit)) if float(limit).is_integer() else str(limit)


def meaning(feature: Feature) -> str:
    """The meaning of a feature whose definition gives none."""
    if feature.function is None:
        return definition(feature)
    begun = FUNCTIONS[feature.function].meaning.format(of=feature.of)
    rest = definition(feature).partition(", ")[2]
    return f"{begun}, {rest}" if rest else begun


def missing(feature: Feature, fields: Mapping[str, Field | None], entity: Entity | None) -> str:
    """When the value is missing."""
    if feature.function is None:
        return "an operand is missing, or the result has no value"
    if feature.delay_ms:
        return f"not known, or no {' or '.join(entity.key if entity else ())}"
    signature = FUNCTIONS[feature.function]
    reasons = [f"no {name}" for name in _compared(feature) if _is_optional(fields.get(name))]
    reasons += [signature.missing] * (signature.missing != "never")
    if signature.missing_when_empty and _may_be_empty(feature, fields):
        reasons.append(f"no {feature.of or 'transaction'} in the window")
    return ", or ".join(reasons) or "never"


def _compared(feature: Feature) -> Iterable[str]:
    """The fields that the current transaction must have."""
    own = [feature.of] if feature.of and feature.function in _OF_THE_CURRENT_VALUE else []
    return [*own, *feature.same]


def _may_be_empty(feature: Feature, fields: Mapping[str, Field | None]) -> bool:
    is_filtered = feature.where is not None and feature.function is not Function.SHARE
    return is_filtered or not feature.includes_current or _is_optional(fields.get(feature.of or ""))


def _is_optional(field: Field | None) -> bool:
    return field is not None and not field.required
