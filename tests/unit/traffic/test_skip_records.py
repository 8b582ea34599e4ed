"""What `fraudstream dlq skip` finds, refuses and keeps."""

import pytest

from app.adapters.kafka.records import OutRecord
from app.errors import ConfigurationError
from app.operations.skip_records import MAX_DEAD_LETTER_BYTES, _stop, dead_letter_of, operator
from tests.support.wire.control_records import SKIP as ORDER
from tests.support.wire.record_batches import Stored, batch


def text(letter: OutRecord) -> str:
    return dict(letter.headers)["__streams.errors.message"].decode()


def test_the_dead_letter_keeps_the_bytes_and_who_left_them_out() -> None:
    letter = dead_letter_of(ORDER, b"stored")
    assert (letter.key, letter.value) == (None, b"stored")
    assert text(letter) == (
        "offset 17 to 19, the batch has a wrong checksum; the 6 bytes of the stored batch; left out by anna@ops: disk"
    )


def test_bytes_that_no_topic_would_take_are_only_named() -> None:
    letter = dead_letter_of(ORDER, bytes(MAX_DEAD_LETTER_BYTES + 1))
    assert letter.value is None
    assert "are too many for a dead letter" in text(letter)


def test_records_that_can_be_read_are_refused() -> None:
    bad = bytearray(batch([Stored()], base_offset=6))
    bad[-1] ^= 1
    data = batch([Stored()], base_offset=5) + bytes(bad)
    with pytest.raises(ConfigurationError, match="p can be read at offset 5: nothing is left out"):
        _stop("p", data, 5)
    with pytest.raises(ConfigurationError, match="p has no record at offset 5"):
        _stop("p", b"", 5)
    assert _stop("p", bytes(bad), 6).offset == 6


def test_the_operator_is_named_behind_sudo() -> None:
    assert operator({"SUDO_USER": "anna"}).startswith("anna@")
    assert operator({}).count("@") == 1
