"""Identifiers that are pure functions of what they identify, so that a repeat is recognised."""

from hashlib import blake2b


def digest64(text: str) -> bytes:
    """Eight bytes that stand for ``text`` in a profile. Among n texts some two collide with probability n**2 / 2**65."""
    return blake2b(text.encode(), digest_size=8).digest()


def decision_id(transaction_id: str) -> str:
    """The one decision of a transaction, however often it is produced."""
    return f"decision-{transaction_id}"


def alert_id(transaction_id: str) -> str:
    """The one alert of a transaction, however often it is produced."""
    return f"alert-{transaction_id}"


def notification_id(transaction_id: str) -> str:
    """The one question about a transaction, however often it is produced."""
    return f"notification-{transaction_id}"
