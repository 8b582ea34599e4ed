"""RegistryClient: found schemas, missing ones (None) and failures (RegistryAway, naming the setting)."""

import base64
import json
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.schema_cache import Absent, SchemaCache
from app.adapters.schema_registry.wire_format import number_key
from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde.event_decoder import WHY_ABSENT
from app.errors import ConfigurationError, RegistryAway, SchemaTooLarge
from app.local import ports
from app.operations.registry_check import check_registry
from app.settings import RegistrySettings, Settings

require_extra("this test")

from app.adapters.schema_registry.client import RegistryClient  # noqa: E402  # warns when it is the first

PASSWORD = "CANARYVALUE"  # noqa: S105  # a made-up value
GUID = b"\1" + bytes(16)

PAGES: dict[str, tuple[int, object]] = {
    "/schemas/types": (200, ["AVRO"]),
    "/schemas/ids/7": (200, {"schema": '"string"'}),
    "/schemas/ids/8": (404, {"error_code": 40403, "message": "no such schema"}),
    "/schemas/ids/9": (500, {"error_code": 50001, "message": "in trouble"}),
    "/schemas/ids/10": (401, {"error_code": 40101, "message": "who are you"}),
    "/schemas/ids/11": (404, "<html>no such page</html>"),
    "/schemas/ids/12": (200, "<html>a login page</html>"),
    "/schemas/ids/13": (
        200,
        {
            "schema": "whole",
            "schemaType": "PROTOBUF",
            "references": [{"name": "a", "subject": "a", "version": 1}],
        },
    ),
    "/subjects/a/versions/1": (
        200,
        {
            "subject": "a", "version": 1, "id": 1, "schema": "a",
            "references": [{"name": "b", "subject": "b", "version": 2}],
        },
    ),
    "/subjects/b/versions/2": (200, {"subject": "b", "version": 2, "id": 2, "schema": "b"}),
    "/subjects/none/versions/latest": (404, {"error_code": 40401, "message": "no such subject"}),
    "/subjects/fraud.decisions.v1-value": (404, {"error_code": 40401, "message": "no such subject"}),
    "/subjects/fraud.alerts.v1-value": (404, {"error_code": 40403, "message": "no such schema"}),
    "/config/none": (404, {"error_code": 40408, "message": "no level of its own"}),
    "/subjects/refused/versions": (409, {"error_code": 409, "message": "incompatible"}),
    "/compatibility/subjects/refused/versions/latest": (200, {"is_compatible": False, "messages": ["a field"]}),
}  # fmt: skip


class RegistryHandler(BaseHTTPRequestHandler):
    authorizations: list[str | None]
    encoding = ""
    declares_length = True

    def do_GET(self) -> None:
        self.authorizations.append(self.headers["Authorization"])
        status, body = PAGES.get(self.path.partition("?")[0], (404, ""))
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if self.declares_length:
            self.send_header("Content-Length", str(len(data)))
        if self.encoding:
            self.send_header("Content-Encoding", self.encoding)
        self.end_headers()
        with suppress(ConnectionError):  # of a client that has read enough
            self.wfile.write(data)

    do_POST = do_GET  # noqa: N815  # the library's name

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    RegistryHandler.authorizations = []
    with ThreadingHTTPServer(("127.0.0.1", 0), RegistryHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def registry(url: str) -> RegistryClient:
    return RegistryClient(RegistrySettings(url=url))


def test_a_schema_is_returned_as_registered(registry: RegistryClient) -> None:
    assert WriterSchema(AVRO, '"string"') == registry.schema(number_key(7))


def test_referenced_schemas_are_returned_deepest_first(registry: RegistryClient) -> None:
    assert WriterSchema(PROTOBUF, "whole", ("b", "a")) == registry.schema(number_key(13))


def references(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "subject": name, "version": 1} for name in names]


LIMIT = 10_000


@pytest.fixture
def bounded(url: str) -> Iterator[RegistryClient]:
    """A client with small bounds of a registry that answers anything."""
    many = [f"many{number}" for number in range(300)]
    PAGES.update(
        {
            "/schemas/ids/20": (200, {"schema": "x" * LIMIT}),
            "/schemas/ids/21": (200, {"schema": "x" * (LIMIT + 1)}),
            "/schemas/ids/22": (200, {"schema": "x" * 5_000_000}),
            "/schemas/ids/23": (200, {"schema": "a", "references": references("circle")}),
            "/subjects/circle/versions/1": (
                200,
                {"subject": "circle", "version": 1, "id": 3, "schema": "c", "references": references("circle", "circle")},
            ),
            "/schemas/ids/24": (200, {"schema": "a", "references": references(*many)}),
            **{
                f"/subjects/{name}/versions/1": (200, {"subject": name, "version": 1, "id": 4, "schema": name})
                for name in many
            },
            "/schemas/ids/25": (200, {"schema": "a", "references": references("long", "longer")}),
            **{
                f"/subjects/{name}/versions/1": (
                    200, {"subject": name, "version": 1, "id": 5, "schema": name + "x" * (LIMIT // 2)},
                )
                for name in ("long", "longer")
            },
        }
    )  # fmt: skip
    before = RegistryHandler.encoding
    yield RegistryClient(RegistrySettings(url=url, schema_bytes=LIMIT))
    RegistryHandler.encoding = before


def test_a_schema_of_the_allowed_length_is_read_and_a_longer_one_is_refused(bounded: RegistryClient) -> None:
    assert bounded.schema(number_key(20)) == WriterSchema(AVRO, "x" * LIMIT)
    for number in (21, 22, 25):
        with pytest.raises(SchemaTooLarge, match="FRAUDSTREAM_REGISTRY_SCHEMA_BYTES=10,000"):
            bounded.schema(number_key(number))


@pytest.mark.parametrize("declares", [True, False])
def test_a_long_answer_is_not_read_to_its_end(bounded: RegistryClient, declares: bool) -> None:
    RegistryHandler.declares_length = declares
    tracemalloc.start()
    with pytest.raises(SchemaTooLarge):
        bounded.schema(number_key(22))
    RegistryHandler.declares_length = True
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The server of the test has the 5 MB twice, since Python 3.12 with space for a quarter more; a client that reads them all has 15 MB.
    assert peak < 12_500_000


def test_an_answer_that_is_compressed_unasked_is_refused(bounded: RegistryClient) -> None:
    RegistryHandler.encoding = "gzip"
    with pytest.raises(SchemaTooLarge, match="compressed"):
        bounded.schema(number_key(7))


def test_references_in_a_circle_end_and_any_number_of_them_is_refused(bounded: RegistryClient) -> None:
    assert bounded.schema(number_key(23)) == WriterSchema(AVRO, "a", ("c",))
    with pytest.raises(SchemaTooLarge, match="more than 100 others"):
        bounded.schema(number_key(24))


def test_the_cache_keeps_what_it_has_and_refuses_what_has_no_room() -> None:
    class Source:
        def schema(self, key: bytes) -> WriterSchema | None:
            if key == b"large":
                raise SchemaTooLarge("it is too large")
            return WriterSchema(AVRO, "x" * 60)

    cache = SchemaCache(Source(), most_bytes=150)
    found = [cache.find_or_fetch(key) for key in (b"1", b"2", b"3", b"1", b"large", b"2")]
    kept = WriterSchema(AVRO, "x" * 60)
    assert found == [kept, kept, Absent.NO_ROOM, kept, Absent.TOO_LARGE, kept]


@pytest.mark.parametrize("why", Absent)
def test_every_absence_is_a_reason(why: Absent) -> None:
    reason, detail = WHY_ABSENT[why]
    assert reason in {"unknown_schema", "registry_away", "schema_mismatch"}
    assert detail


def test_a_missing_schema_level_or_id_is_none(registry: RegistryClient) -> None:
    schema = WriterSchema(AVRO, "x")

    assert [None] * 5 == [
        registry.schema(number_key(8)),
        registry.schema(GUID),
        registry.newest("none"),
        registry.level("none"),
        registry.register("refused", schema),
    ]
    assert ["a field"] == registry.objections("refused", schema)


@pytest.mark.parametrize("number", [9, 11, 12])
def test_an_answer_that_is_not_a_registrys_counts_as_unreachable(
    registry: RegistryClient, number: int
) -> None:
    """Otherwise a wrong address, which answers 404, would turn every record into a dead letter."""
    with pytest.raises(RegistryAway, match="FRAUDSTREAM_REGISTRY_URL"):
        registry.schema(number_key(number))


def test_a_closed_port_is_reported_with_the_remedy() -> None:
    registry = RegistryClient(RegistrySettings(url=f"http://127.0.0.1:{ports.choose()}"))

    with pytest.raises(RegistryAway, match=r"does not answer.*Start it"):
        registry.schema(GUID)


def test_a_refused_login_names_the_user_but_never_the_password(url: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    registry = RegistryClient(RegistrySettings(url=url, username="scorer", password_file=str(file)))

    with pytest.raises(RegistryAway, match="FRAUDSTREAM_REGISTRY_USERNAME=scorer") as caught:
        registry.schema(number_key(10))
    assert PASSWORD not in str(caught.value)
    assert {f"Basic {base64.b64encode(f'scorer:{PASSWORD}'.encode()).decode()}"} == set(
        RegistryHandler.authorizations
    )


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({"URL": "registry:8081"}, "URL is not the address"),
        ({"URL": "http://me:secret@registry"}, "may not contain a user, a password"),
        ({"URL": "http://registry:99999"}, "URL is not the address"),
        ({"URL": "http://registry", "USERNAME": "me"}, "PASSWORD_FILE belong together"),
        ({"OUTPUT_FORMAT": "avro"}, "OUTPUT_FORMAT=avro needs FRAUDSTREAM_REGISTRY_URL"),
        ({"WHEN_AWAY": "panic"}, "WHEN_AWAY"),
    ],
)
def test_inconsistent_settings_are_refused(environ: dict[str, str], setting: str) -> None:
    with pytest.raises(ConfigurationError, match=setting) as caught:
        Settings.from_env({f"FRAUDSTREAM_REGISTRY_{name}": value for name, value in environ.items()})
    assert "secret" not in str(caught.value)


def test_production_refuses_a_registry_without_tls() -> None:
    environ = {"FRAUDSTREAM_REDIS_URL": "", "FRAUDSTREAM_DEPLOYMENT_STAGE": "production"}

    with pytest.raises(ConfigurationError, match="REGISTRY_URL is refused"):
        Settings.from_env(environ | {"FRAUDSTREAM_REGISTRY_URL": "http://registry"})


def test_the_doctor_names_missing_schemas(url: str) -> None:
    def found(**changes: Any) -> tuple[str, str]:
        finding = check_registry(Settings(registry=RegistrySettings(**changes)))
        return finding.outcome, finding.found + finding.remedy

    assert ("ok", "not configured: values are JSON") == found()
    assert ("ok", "answers") == found(url=url)
    outcome, text = found(url=url, output_format="avro")
    assert ("failed", True) == (outcome, "decisions, alerts" in text and "schemas register" in text)
    assert "failed" == found(url=f"http://127.0.0.1:{ports.choose()}")[0]
