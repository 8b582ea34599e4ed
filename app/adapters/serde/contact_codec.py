"""Codec of a customer's contact in RocksDB and in the changelog: little-endian, fixed width, versioned.

The number of changes is stored where a profile stores its lineage; a restore keeps the version with more changes. After it
follow, for each of the two topics that change a contact, the topic's id and the last applied offset.
"""

import struct
from typing import NamedTuple

from app.domain.contact import Contact
from app.errors import StateCorrupt

VERSION = 1
ALERTS, ANSWERS = 0, 1
_LAYOUT = struct.Struct("<B?6xQqQqQqqqqq")


class AppliedOffset(NamedTuple):
    """The last record of one topic that changed the contact."""

    topic_id: int = 0
    offset: int = -1

    def has(self, topic_id: int, offset: int) -> bool:
        """True when the record at ``offset`` is already applied."""
        return self.topic_id == topic_id and offset <= self.offset


class StoredContact(NamedTuple):
    """A contact with the last records that changed it."""

    contact: Contact = Contact()
    applied: tuple[AppliedOffset, AppliedOffset] = (AppliedOffset(), AppliedOffset())
    """Of the alerts topic and of the answers topic."""
    changes: int = 0

    def after(self, log: int, applied: AppliedOffset, contact: Contact) -> "StoredContact":
        """The contact after one more record of the topic ``log``: ALERTS or ANSWERS."""
        alerts, answers = self.applied
        both = (applied, answers) if log == ALERTS else (alerts, applied)
        return StoredContact(contact, both, self.changes + 1)


def encode(kept: StoredContact) -> bytes:
    contact, (alerts, answers) = kept.contact, kept.applied
    return _LAYOUT.pack(
        VERSION,
        contact.episode_asked,
        0,
        kept.changes,
        *alerts,
        *answers,
        contact.last_alert_ms,
        contact.question,
        contact.asked_ms,
        contact.answered_ms,
    )


def decode(data: bytes) -> StoredContact:
    """The contact in ``data``; b"" is a customer without alerts. Raises StateCorrupt for another version or length."""
    if not data:
        return StoredContact()
    if data[0] != VERSION or len(data) != _LAYOUT.size:
        raise StateCorrupt(
            f"a contact of {len(data)} bytes, version {data[0]}, was not written by this release"
        )
    _, asked, _, changes, *applied, last_alert_ms, question, asked_ms, answered_ms = _LAYOUT.unpack(data)
    alerts, answers = AppliedOffset(*applied[:2]), AppliedOffset(*applied[2:])
    return StoredContact(
        Contact(last_alert_ms, asked, question, asked_ms, answered_ms), (alerts, answers), changes
    )
