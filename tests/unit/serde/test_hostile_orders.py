"""Records of the control topic that do not keep the contract are refused and counted, and never end the reading."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.topic_records.control_log import (
    ControlLog,
    order_record,
    report_record,
    skip_record,
)
from app.domain.control import (
    CANARY_KEY,
    CHALLENGERS_KEY,
    CHAMPION_KEY,
    ChallengersOrder,
)
from app.errors import ConfigurationError
from tests.support.wire.control_records import CANARY, MODEL, ORDER, REPORT, SKIP, Read, read
from tests.support.wire.hostile import KEYS, spoiled

CHALLENGERS = ChallengersOrder(models=[MODEL], ordered_at=6)
SOUND = [
    order_record(ORDER),
    order_record(CHALLENGERS),
    order_record(CANARY),
    report_record(REPORT),
    skip_record(SKIP),
]


def test_an_order_that_names_a_model_of_300_characters_is_refused_and_the_newest_sound_one_stays() -> None:
    """As a path it would be too long for the operating system: model control ended with it, and no worker started."""
    log = ControlLog()
    log.apply(read(order_record(ORDER)))
    forged = b'{"model":{"name":"%s","version":"1","digest":"0"},"ordered_at":1}' % (b"A" * 300)

    assert not log.apply(Read(CHAMPION_KEY, forged, offset=9))
    assert (log.orders.champion, log.orders.heard, log.refused) == (ORDER, 0, 1)


@pytest.mark.parametrize("sound", SOUND, ids=lambda record: record.key.decode())
def test_a_spoiled_record_is_refused_or_applied_within_its_bounds_and_never_ends_the_reading(
    sound: Any,
) -> None:
    for name, value in spoiled(msgspec.json.decode(sound.value)):
        log = ControlLog()
        for record in SOUND:
            log.apply(read(record))
        heard = log.apply(Read(sound.key, value, offset=5))

        withdrawn = value is None and not sound.key.startswith(b"skip/")
        applied = heard or log.reports != {"w1": REPORT} or withdrawn
        assert log.refused <= 1, name
        assert len(msgspec.json.encode(log.orders)) < 4_000, name
        assert not (log.refused and applied), name
        others = {record.key for record in SOUND} - {sound.key}
        assert others <= _in_force(log), name


@given(st.sampled_from([*KEYS, *(record.key for record in SOUND)]), st.binary(max_size=80) | st.none())
def test_no_record_ends_the_reading(key: bytes | None, value: bytes | None) -> None:
    log = ControlLog()
    log.apply(Read(key, value))
    log.apply(read(order_record(ORDER)))

    assert log.orders.champion == ORDER


def test_a_report_or_skip_under_another_key_is_refused() -> None:
    """It would replace the report of another worker, or hide the order of an operator."""
    log = ControlLog()
    for record in SOUND:
        log.apply(read(record))
    log.apply(Read(b"worker/w2", report_record(REPORT).value))
    log.apply(Read(b"skip/payments/3/18", skip_record(SKIP).value))
    backwards = msgspec.to_builtins(SKIP) | {"next_offset": SKIP.offset}
    log.apply(Read(skip_record(SKIP).key, msgspec.json.encode(backwards)))

    assert (log.refused, list(log.reports), list(log.skips.values())) == (3, ["w1"], [SKIP])


def test_an_order_that_workers_would_refuse_is_not_sent() -> None:
    crowd = ChallengersOrder(models=[MODEL] * 17, ordered_at=1)
    with pytest.raises(ConfigurationError, match="This order would be refused"):
        order_record(crowd)
    with pytest.raises(ConfigurationError, match="reason"):
        skip_record(msgspec.structs.replace(SKIP, reason="x" * 1_001))


def test_a_flood_of_refused_records_is_counted_and_does_not_fill_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    log = ControlLog()
    for offset in range(500):
        log.apply(Read(CHAMPION_KEY, b"secret", offset))

    shown = capsys.readouterr().out + caplog.text  # where it goes depends on the tests before
    assert log.refused == 500
    assert "secret" not in shown
    assert shown.count("order_refused") == 10


def _in_force(log: ControlLog) -> set[bytes]:
    orders = zip((CHAMPION_KEY, CHALLENGERS_KEY, CANARY_KEY), log.orders, strict=False)
    reports = {b"worker/" + worker.encode() for worker in log.reports}
    return {key for key, order in orders if order is not None} | reports | set(log.skips)
