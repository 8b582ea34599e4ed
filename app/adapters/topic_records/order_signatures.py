"""Signs orders and checks their signatures: Ed25519, in a header of the record.

A signature holds for one order at one offset of one topic. Kafka gives an offset to one record only, so that an order which is
sent again, or copied to another cluster, is not signed there: no clock and no memory of earlier orders is needed, and
compaction removes nothing that the check needs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.signing_keys import public_key
from app.errors import ConfigurationError

HEADER = "signature"
_PURPOSE = b"fraudstream order v1\0"
"""Prefix of the signed bytes, so that a signature of other data by the same key, as of a bundle, is invalid for an order."""


class OrderPlace(NamedTuple):
    """The only place where an order holds."""

    topic_id: str
    offset: int


class OrderSignature(msgspec.Struct, frozen=True):
    """The header's content. The place tells a copy of an order from a forged one; the check does not rely on it."""

    topic_id: str
    offset: int
    signature: bytes


OrderCheck = Callable[[Record], str]
"""From a record to the reason why its order is refused; empty if it is followed."""

_decoder = BoundedDecoder(OrderSignature)


def any_order(_: Record) -> str:
    """Follow every order, signed or not."""
    return ""


def signed(record: OutRecord, place: OrderPlace, key: Ed25519PrivateKey) -> OutRecord:
    """The record with the signature of its order at ``place``."""
    signature = OrderSignature(*place, key.sign(_signed_bytes(place, record.key, record.value)))
    return msgspec.structs.replace(record, headers=[(HEADER, msgspec.json.encode(signature))])


def order_check(key: Ed25519PublicKey, topic_id: str) -> OrderCheck:
    """The check that follows only orders signed with the private key of ``key`` for the topic of this id."""

    def check(record: Record) -> str:
        found = _signature(record)
        if found is None:
            return "it is not signed"
        claimed = OrderPlace(found.topic_id, found.offset)
        try:
            key.verify(found.signature, _signed_bytes(claimed, record.key, record.value))
        except InvalidSignature:
            return "its signature is not of the trusted key, or of another order"
        if claimed != (topic_id, record.offset):
            return f"it was sent again: it is signed for offset {found.offset} of the topic with the id {found.topic_id[:32]}"
        return ""

    return check


def check_by(public_key_file: str, topic_id: str = "") -> OrderCheck:
    """The check by the setting FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE. Raises ConfigurationError where the key cannot be read."""
    if not public_key_file:
        return any_order
    try:
        return order_check(public_key(Path(public_key_file)), topic_id)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE: {error}. Set it to a public key."
        ) from error


def _signature(record: Record) -> OrderSignature | None:
    """The only signature of a record; None if it has none, several, or one that cannot be decoded."""
    found = [value for name, value in record.headers if name == HEADER]
    try:
        return _decoder.decode(found[0]) if len(found) == 1 and found[0] else None
    except (msgspec.MsgspecError, ValueError):
        return None


def _signed_bytes(place: OrderPlace, key: bytes | None, value: bytes | None) -> bytes:
    # MessagePack states the length of each part, and tells a tombstone from an empty value.
    return _PURPOSE + msgspec.msgpack.encode((*place, key, value))
