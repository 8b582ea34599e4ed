"""Checks the entities: ``[entities.NAME]`` of a catalog."""

from app.catalog.bounds import MOST_ENTITIES, MOST_KEY_FIELDS
from app.catalog.checking.known import Known, check_name
from app.catalog.definitions import CUSTOMER, TRANSACTION, Entity, Field
from app.checking.problems import shown
from app.checking.table import Table
from app.expressions.names import TEXTUAL

CUSTOMER_KEY = ("customer_id",)
"""The key of the transactions topic, by which all events of a customer are in one partition and in order."""


def check_entities(file: Table, known: Known) -> None:
    """Add the entities to what is known, the customer first; None for one with a problem."""
    known.entities[CUSTOMER] = Entity(name=CUSTOMER, key=CUSTOMER_KEY)
    for name, table in file.tables("entities"):
        key = _key(table, name, known) if len(known.entities) <= MOST_ENTITIES else ()
        known.entities[name] = Entity(name=name, key=key) if key and table.is_sound else None
    if len(known.entities) > MOST_ENTITIES:
        file.refuse(f"{len(known.entities)} entities; at most {MOST_ENTITIES} are allowed", at="entities")


def _key(table: Table, name: str, known: Known) -> tuple[str, ...]:
    table.expect("key")
    if name == TRANSACTION:
        table.refuse("transaction is an entity of its own, without a key", "remove this table")
        return ()
    check_name(table, name, (), "entity")
    key = table.texts("key")
    if "key" not in table:
        table.refuse("key is missing", 'write the field that names the entity, as in key = "device_id"')
    elif name == CUSTOMER and key not in {None, CUSTOMER_KEY}:
        remedy = "write it, or choose another name for the entity"
        table.refuse("the key of customer is customer_id", remedy, at="key")
    elif key is not None:
        _check_key(table, name, key, known)
    return key or ()


def _check_key(table: Table, name: str, key: tuple[str, ...], known: Known) -> None:
    if not 1 <= len(key) <= MOST_KEY_FIELDS or len(set(key)) < len(key):
        table.refuse(f"a key has one field, or {MOST_KEY_FIELDS} different ones", at="key")
        return
    for field in filter(None, (known.field(table, each, "key") for each in key)):
        _check_field(table, field)
    for other in filter(None, known.entities.values()):
        if other.name != name and set(other.key) == set(key):
            table.refuse(f"{shown(other.name)} has the same key", "use one entity for both", at="key")


def _check_field(table: Table, field: Field) -> None:
    if field.kind not in TEXTUAL:
        remedy = "choose an identifier, a text or a category"
        table.refuse(f"{field.name} is of type {field.kind}, which names no entity", remedy, at="key")
    if field.name == "transaction_id":
        remedy = "choose a field that transactions share"
        table.refuse("transaction_id differs in every transaction", remedy, at="key")
