"""The group CDC."""

from typing import Literal

from app.settings.kinds import Group


class CdcSettings(Group, frozen=True, kw_only=True):
    """Transactions read from a database table as Debezium change events; docs/data/cdc.md."""

    connect_url: str = "http://127.0.0.1:8083"
    """REST interface of Kafka Connect. Only `fraudstream cdc` uses it; workers do not."""
    customers_topic: str = "bank.customers.v1"
    """Topic with the changes of the bank's table `customers`, for `fraudstream cdc reference`."""
    terminals_topic: str = "bank.terminals.v1"
    """Topic with the changes of the bank's table `terminals`, for `fraudstream cdc reference`."""
    reference_group: str = "fraudstream-reference"
    """Consumer group that copies both tables to Redis."""
    mapping: str = ""
    """Column mapping of the table: `contract` if the columns have the names and units of the transaction contract, else
    the path of a TOML file (docs/data/mappings.md). Empty: change events are rejected as dead letters."""
    updates: Literal["ignore", "score"] = "ignore"
    """What an updated row means. `ignore`: nothing is scored. `score`: the row is a transaction, for tables in which an
    update turns a row into a payment. A transaction id that the customer's profile still holds is not scored again; an
    older one is."""
