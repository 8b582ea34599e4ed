"""The fields of the contract are those of the transaction, with the same bounds."""

import msgspec
from msgspec import inspect

from app.adapters.column_mapping import LABEL_FIELDS
from app.catalog.contract import CONTRACT, ON_THE_WIRE, RESERVED
from app.catalog.definitions import Field
from app.domain.transaction import MAX_AMOUNT_MINOR, Transaction
from app.expressions.names import Kind

OF_THE_STRUCT = {ON_THE_WIRE.get(field.name, field.name): field for field in CONTRACT}


def test_the_fields_are_those_of_the_struct_in_order() -> None:
    assert tuple(OF_THE_STRUCT) == Transaction.__struct_fields__


def test_a_field_is_required_and_bounded_where_the_struct_says_so() -> None:
    info = inspect.type_info(Transaction)
    assert isinstance(info, inspect.StructType)
    for declared in info.fields:
        _check(OF_THE_STRUCT[declared.name], declared)


def _check(field: Field, declared: inspect.Field) -> None:
    assert field.required == declared.required
    assert not field.declared
    kind = declared.type.types[0] if isinstance(declared.type, inspect.UnionType) else declared.type
    kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    match kind:
        case inspect.StrType():
            assert field.kind in {Kind.IDENTIFIER, Kind.TEXT}
            assert field.max_length == kind.max_length
        case inspect.FloatType():
            assert (field.kind, field.minimum, field.maximum) == (Kind.NUMBER, kind.ge, kind.le)
        case inspect.IntType():
            assert field.kind is (Kind.MONEY if field.name == "amount" else Kind.TIME)
            assert (field.minimum, field.maximum) == (kind.ge, kind.le)
        case _:
            raise AssertionError(kind)


def test_labels_and_names_on_the_wire_are_reserved() -> None:
    assert {*LABEL_FIELDS, *ON_THE_WIRE.values()} == RESERVED
    assert msgspec.structs.fields(Transaction)[4].name in RESERVED
    assert CONTRACT[4].maximum == MAX_AMOUNT_MINOR
