"""An unknown schema: the partition waits or its records become dead letters, as the setting says; metrics show it."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Literal, cast

import pytest

from app.adapters.cdc.transaction_decoder import decode_plain
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.schema_registry.wire_format import number_key
from app.adapters.serde import protobuf_values
from app.adapters.serde.event_encoder import own_schema
from app.domain.decision import Alert
from app.domain.transaction import Transaction
from app.errors import ConfigurationError, InvalidEvent
from app.processing.chunk import Chunk
from app.processing.contact_events import AlertForQuestion, alert_in_json
from app.settings import RegistrySettings
from app.streaming.roles import analytics, schema_access
from app.streaming.roles.schema_access import SchemaAccess
from tests.unit.serde.test_formats import EXAMPLE, SOUND
from tests.unit.streaming.roles.test_schema_access import BEFORE, FakeRegistry, Record


class Answering(FakeRegistry):
    def require(self) -> None:
        self.schema(b"")

    def id_of(self, *_: Any) -> int | None:
        return None


def use(
    monkeypatch: pytest.MonkeyPatch, when_away: Literal["wait", "dead_letter"]
) -> tuple[SchemaAccess, Answering]:
    registry = Answering()
    monkeypatch.setattr(schema_access, "RegistryClient", lambda _: registry)
    settings = RegistrySettings(url="http://127.0.0.1:1", when_away=when_away, output_format="avro")
    return SchemaAccess(settings, PrometheusMetrics()), registry


def metric(used: SchemaAccess, name: str) -> float | None:
    metrics: Any = used._metrics
    found: float | None = metrics.registry.get_sample_value(f"fraudstream_{name}")
    return found


CHUNK = Chunk(0, [BEFORE])


async def test_a_partition_waits_while_the_registry_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    used, registry = use(monkeypatch, "wait")
    decode, needs = used.decoding(Transaction, decode_plain)
    registry.away = True

    assert (False, False, 1) == (
        await needs.request(CHUNK),
        needs.are_met(CHUNK),
        metric(used, "registry_away"),
    )
    registry.away = False
    assert (True, True, 0) == (
        await needs.request(CHUNK),
        needs.are_met(CHUNK),
        metric(used, "registry_away"),
    )
    assert ("t1", 1) == (decode(BEFORE).transaction_id, metric(used, "registry_schemas"))


async def test_records_become_dead_letters_while_the_registry_is_unreachable_if_set_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used, registry = use(monkeypatch, "dead_letter")
    decode, needs = used.decoding(Transaction, decode_plain)
    registry.away = True
    others = Chunk(0, [BEFORE, BEFORE._replace(value=number_key(8))])

    assert (True, True) == (await needs.request(others), needs.are_met(others))
    assert 1 == len(registry.asked), "an unreachable registry is not asked for the next schema"
    with pytest.raises(InvalidEvent, match="registry_away"):
        decode(BEFORE)


async def test_an_idle_worker_probes_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_access, "PROBE_SECONDS", 0.001)
    used, registry = use(monkeypatch, "wait")
    registry.away = True
    probing = asyncio.create_task(used.run())

    async with asyncio.timeout(60):
        while metric(used, "registry_away") != 1 or len(registry.asked) < 3:  # noqa: ASYNC110  # the metric has no event to await
            await asyncio.sleep(0.001)
        registry.away = False
        while metric(used, "registry_away") != 0:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.001)
    probing.cancel()


async def test_an_unregistered_output_schema_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used, _ = use(monkeypatch, "wait")

    with pytest.raises(
        ConfigurationError, match=r"Alert is not registered under alerts-value.*schemas register"
    ):
        await used.encoding(Alert, "alerts")


async def test_an_alert_in_another_format_is_read_with_its_needed_fields(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used, registry = use(monkeypatch, "wait")
    registry.schemas[number_key(9)] = own_schema(Alert, "protobuf")
    alert_of, needs = used.decoding(Alert, alert_in_json, AlertForQuestion)
    value = json.dumps(EXAMPLE).encode()
    record = Record(number_key(9) + b"\0" + protobuf_values.writer(Alert)(value))
    assert await needs.request(Chunk(0, [record]))

    assert alert_in_json(Record(value)) == alert_of(record)


@dataclass(frozen=True)
class Stored:
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


async def test_records_stored_by_day_are_json_in_any_published_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used, _ = use(monkeypatch, "wait")
    decode, needs = used.decoding(Transaction, analytics._unchanged)
    assert await needs.request(CHUNK)
    plain_json, garbage = cast(Any, Stored(b"{}")), cast(Any, Stored(number_key(7) + b"\xff"))

    assert SOUND == json.loads(analytics._with_json(cast(Any, Stored(BEFORE.value)), decode).value or b"")
    assert [plain_json, garbage] == [analytics._with_json(each, decode) for each in (plain_json, garbage)]
