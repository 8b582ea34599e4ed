"""The group CDC."""

from typing import Literal

import msgspec


class CdcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions that come out of a database's table, as change events of Debezium; docs/data/cdc.md."""

    connect_url: str = "http://127.0.0.1:8083"
    """Kafka Connect's REST interface, for `fraudstream cdc`; workers do without."""
    customers_topic: str = "bank.customers.v1"
    """Changes of the bank's table `customers`, for `fraudstream cdc reference`."""
    terminals_topic: str = "bank.terminals.v1"
    reference_group: str = "fraudstream-reference"
    """Consumer group that brings both to Redis."""
    mapping: str = ""
    """Column mapping of the table: `contract` where the columns have the contract's names and units, else the path of a
    TOML file (docs/models/batch.md, Column mappings). Empty: change events are no transactions, and go to the dead letters."""
    updates: Literal["ignore", "score"] = "ignore"
    """Whether an updated row may become a transaction. `score` is for tables whose rows come to be payments by an update:
    one that was scored before is then recognised by its id while its profile remembers it, and scored again after."""
