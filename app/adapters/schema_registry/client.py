"""A client of the schema registry: schemas by id, subjects and compatibility. Its errors name the settings.

Every call blocks until the registry answers; call it in a thread from an event loop.
"""

import ssl
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from confluent_kafka import schema_registry

from app.adapters import tls
from app.adapters.library_errors import Translated
from app.adapters.schema_registry.bounded_answers import bound_answers, too_large
from app.adapters.schema_registry.wire_format import NUMBER_BYTES
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.domain.safe_text import without_credentials
from app.domain.words import named
from app.errors import RegistryAway, SchemaTooLarge
from app.settings import RegistrySettings

PREFIX = "FRAUDSTREAM_REGISTRY_"
_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA, _NO_LEVEL = 40401, 40402, 40403, 40408
"""Error codes of the registry. A plain 404 has none of them: another server answers then."""
_MISSING = {_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA, _NO_LEVEL}
_NOT_COMPATIBLE = 409
MOST_REFERENCES = 100
"""Schemas that one may reference, directly or not."""


class Version(NamedTuple):
    """A registered version of a subject."""

    version: int
    id: int
    schema: WriterSchema


class RegistryClient:
    """Methods return None for what the registry does not have, and raise RegistryAway when it does not answer, and
    SchemaTooLarge where an answer, or a schema with its references, is larger than the setting allows.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._client = schema_registry.SchemaRegistryClient(_options(settings))
        # Requests are hours apart: a connection kept open would be dead by the next one.
        session = self._client._rest_client.session  # noqa: SLF001  # no public way
        session.headers["Connection"] = "close"
        bound_answers(session, settings.schema_bytes)

    def schema(self, key: bytes) -> WriterSchema | None:
        """The schema with this id as encoded on the wire: a number or a GUID with its magic byte."""
        if len(key) == NUMBER_BYTES:
            number = int.from_bytes(key[1:], "big")
            found = self._ask(lambda: self._client.get_schema(number))
        else:
            guid = str(UUID(bytes=key[1:]))
            found = self._by_guid(guid)
        return None if found is None else self._taken(found)

    def _by_guid(self, guid: str) -> Any:
        try:
            return self._ask(lambda: self._client.get_schema_by_guid(guid))
        except RegistryAway:
            self.require()
            return None  # the registry answers, but does not support GUIDs

    def newest(self, subject: str) -> Version | None:
        """The latest version of the subject."""
        found = self._ask(lambda: self._client.get_latest_version(subject))
        return None if found is None else Version(found.version, found.schema_id, self._taken(found.schema))

    def id_of(self, subject: str, schema: WriterSchema) -> int | None:
        """The id of exactly this schema under the subject."""
        found = self._ask(lambda: self._client.lookup_schema(subject, self._given(schema)))
        return None if found is None else int(found.schema_id)

    def register(self, subject: str, schema: WriterSchema) -> int | None:
        """Register the schema and return its id, the same for every call; None where it is incompatible."""
        found = self._ask(lambda: self._client.register_schema(subject, self._given(schema)))
        return None if found is None else int(found)

    def level(self, subject: str) -> str | None:
        """The compatibility level of the subject, None where it has none of its own."""
        found = self._ask(lambda: self._client.get_compatibility(subject))
        return None if found is None else str(found)

    def set_level(self, subject: str, level: str) -> None:
        self._ask(lambda: self._client.set_compatibility(subject, level))

    def objections(self, subject: str, schema: WriterSchema) -> list[str] | None:
        """Reasons why the schema is incompatible with the subject's latest version; empty when it is compatible, None
        when there is no version.
        """
        path = f"compatibility/subjects/{schema_registry._sync.schema_registry_client._urlencode(subject)}/versions/latest"  # noqa: SLF001  # the public method drops the reasons
        rest = self._client._rest_client  # noqa: SLF001
        answer = self._ask(lambda: rest.post(f"{path}?verbose=true", body=self._given(schema).to_dict()))
        if answer is None:
            return None
        return [] if answer["is_compatible"] else answer.get("messages") or ["no reason given"]

    def require(self) -> None:
        """Raise RegistryAway unless a schema registry answers."""
        self._ask(self._client.get_schema_types)

    def _given(self, schema: WriterSchema) -> Any:
        return schema_registry.Schema(schema.text, schema.kind)

    def _taken(self, schema: Any) -> WriterSchema:
        # The library would keep every schema that it ever read.
        self._client.clear_caches()
        texts: dict[str, None] = {}
        self._resolve(schema, texts, set())
        del texts[schema.schema_str]
        return WriterSchema(schema.schema_type or "AVRO", schema.schema_str, tuple(texts))

    def _resolve(self, schema: Any, texts: dict[str, None], asked: set[tuple[str, int]]) -> None:
        """Add the texts of all referenced schemas, each after the ones that it references, and at last its own.

        A registry that is no honest one may answer with references in a circle, or with any number of them.
        """
        for reference in schema.references or ():
            name = str(reference.subject), int(reference.version)
            if name in asked:
                continue
            asked.add(name)
            if len(asked) > MOST_REFERENCES:
                raise SchemaTooLarge(f"The schema references more than {MOST_REFERENCES} others.")
            found = self._ask(partial(self._client.get_version, *name))
            if found is not None:
                self._resolve(found.schema, texts, asked)
        texts.pop(schema.schema_str, None)
        texts[schema.schema_str] = None
        if sum(map(len, texts)) > self._settings.schema_bytes:
            raise too_large(self._settings.schema_bytes)

    def _ask(self, question: Any) -> Any:
        with Translated(self._no_answer, RegistryAway, SchemaTooLarge):
            try:
                return question()
            except schema_registry.SchemaRegistryError as error:
                if error.error_code in _MISSING or error.http_status_code == _NOT_COMPATIBLE:
                    return None
                raise RegistryAway(self._refusal(error.http_status_code)) from error

    def _no_answer(self, error: Exception) -> RegistryAway:
        return RegistryAway(
            f"The schema registry at {PREFIX}URL={without_credentials(self._settings.url)} does not answer ({named(error)}). Start it or "
            "correct the setting."
        )

    def _refusal(self, status: int) -> str:
        if status in {401, 403}:
            return (
                f"The schema registry refuses {PREFIX}USERNAME={self._settings.username or '(not set)'} with the password in "
                f"{PREFIX}PASSWORD_FILE={self._settings.password_file or '(not set)'} ({status}). Correct one of them."
            )
        return (
            f"The server at {PREFIX}URL={without_credentials(self._settings.url)} is not a schema registry, or a failing one ({status}). Check it, "
            "or correct the setting; Apicurio's path is /apis/ccompat/v7."
        )


def _options(settings: RegistrySettings) -> dict[str, Any]:
    # No retries here: the caller knows how much time is left.
    options: dict[str, Any] = {
        "url": settings.url,
        "timeout": settings.timeout_seconds,
        "max.retries": 0,
    }
    if settings.username:
        password = tls.read_file(f"{PREFIX}PASSWORD_FILE", settings.password_file)
        options["basic.auth.user.info"] = f"{settings.username}:{password}"
    system = ssl.get_default_verify_paths()
    if settings.tls_ca_file:
        tls.read_file(f"{PREFIX}TLS_CA_FILE", settings.tls_ca_file)
        options["ssl.ca.location"] = settings.tls_ca_file
    elif authorities := system.cafile or system.capath:
        options["ssl.ca.location"] = authorities
    return options
