"""Change events of a database table that are correctly not scored, such as the deletion of a row."""

from enum import StrEnum


class Ignored(StrEnum):
    """Why a change event is not a transaction."""

    UPDATE = "update"
    DELETE = "delete"
    TOMBSTONE = "tombstone"
    OTHER = "other"
