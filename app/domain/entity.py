"""What a profile is kept for."""

from enum import StrEnum


class Entity(StrEnum):
    """The first word of a feature's name. TRANSACTION features need no state."""

    TRANSACTION = "transaction"
    CUSTOMER = "customer"
    TERMINAL = "terminal"
