"""Records that are no transactions, and rightly so: what a database's table does after a row was inserted."""

from enum import StrEnum


class Ignored(StrEnum):
    """Why there is nothing to score."""

    UPDATE = "update"
    DELETE = "delete"
    TOMBSTONE = "tombstone"
    OTHER = "other"
