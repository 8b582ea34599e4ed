"""Identifiers computed from the transaction id, so that a repeated record has the same identifier."""

from hashlib import blake2b


def digest64(text: str) -> bytes:
    """Return the 8-byte digest of ``text`` that profiles keep. Among n texts, a collision has probability n**2 / 2**65."""
    return blake2b(text.encode(), digest_size=8).digest()


def decision_id(transaction_id: str) -> str:
    """Return the id of the decision of a transaction."""
    return f"decision-{transaction_id}"


def alert_id(transaction_id: str) -> str:
    """Return the id of the alert of a transaction."""
    return f"alert-{transaction_id}"


def case_id(transaction_id: str) -> str:
    """Return the id of the case that the alert of a transaction opens."""
    return f"case-{transaction_id}"


def notification_id(transaction_id: str) -> str:
    """Return the id of the question about a transaction."""
    return f"notification-{transaction_id}"


def signed_digest(text: str) -> int:
    """Return the digest of ``text`` as a signed number of 64 bits."""
    return int.from_bytes(digest64(text), "little", signed=True)


def question_digest(transaction_id: str, terminal_id: str, event_time: int) -> int:
    """Return the digest of what an answer repeats of its question. The length keeps the two ids apart."""
    return signed_digest(f"{event_time} {len(transaction_id)} {transaction_id}{terminal_id}")
