"""A customer's contact as it stands in RocksDB and in the changelog: little-endian, of fixed width, versioned.

Where a profile has its lineage stands how often the contact has changed: of two versions a restore takes the later.
Behind it, for each of the two logs that change it, the topic id and the offset up to which it is applied.
"""

import struct
from typing import NamedTuple

from app.domain.contact import Contact
from app.errors import StateCorrupt

VERSION = 1
ALERTS, ANSWERS = 0, 1
_LAYOUT = struct.Struct("<B?6xQqQqQqqqqq")


class AppliedOffset(NamedTuple):
    """How far one log has changed the contact."""

    topic_id: int = 0
    offset: int = -1

    def has(self, topic_id: int, offset: int) -> bool:
        """True for a record that is read again."""
        return self.topic_id == topic_id and offset <= self.offset


class StoredContact(NamedTuple):
    """A contact, and what changed it."""

    contact: Contact = Contact()
    applied: tuple[AppliedOffset, AppliedOffset] = (AppliedOffset(), AppliedOffset())
    """Of the alerts, of the answers."""
    changes: int = 0

    def after(self, log: int, applied: AppliedOffset, contact: Contact) -> "StoredContact":
        """One record later."""
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
    """b"" is a customer never alerted. Raises StateCorrupt."""
    if not data:
        return StoredContact()
    if data[0] != VERSION or len(data) != _LAYOUT.size:
        raise StateCorrupt(f"a contact of {len(data)} bytes, version {data[0]}, is none of this release")
    _, asked, _, changes, *applied, last_alert_ms, question, asked_ms, answered_ms = _LAYOUT.unpack(data)
    alerts, answers = AppliedOffset(*applied[:2]), AppliedOffset(*applied[2:])
    return StoredContact(
        Contact(last_alert_ms, asked, question, asked_ms, answered_ms), (alerts, answers), changes
    )
