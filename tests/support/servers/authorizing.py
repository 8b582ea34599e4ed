"""A broker that allows nothing without a rule: one user for each role of `fraudstream acl print`."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from app.local import kafka
from app.settings import KafkaSettings, Settings
from app.settings import values as setting_values
from app.topics.access import ROLES
from app.topics.acls import Acl
from tests.support.servers.secured import PASSWORD, USER, SecuredBroker

RULES_SECONDS = 30
POLL_SECONDS = 0.1
_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}
_EVERY_RULE = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)


class AuthorizingBroker(SecuredBroker):
    """Users have the names of roles and one password. The plain listener is the test's own and may do everything."""

    def kafka_of(self, user: str) -> KafkaSettings:
        return self.scram(sasl_username=user)

    def environment_of(self, user: str) -> dict[str, str]:
        """The settings of a worker or command with the credentials of ``user``."""
        named = setting_values(Settings(kafka=self.kafka_of(user)))
        return {name: str(value) for name, value in named.items() if name.startswith("FRAUDSTREAM_KAFKA_")}

    async def allow(self, acls: Iterable[Acl]) -> None:
        """Make these rules the only ones."""
        client = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        rules = {_rule(acl) for acl in acls}
        await _done(client.delete_acls([_EVERY_RULE]))
        await _done(client.create_acls(list(rules)))
        deadline = time.monotonic() + RULES_SECONDS
        while set(await asyncio.wrap_future(client.describe_acls(_EVERY_RULE))) != rules:
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL_SECONDS)

    def _listeners(self) -> kafka.Listeners:
        plain = super()._listeners()
        authorizer = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The test, the brokers among each other and the controllers, all by the plain listeners.
            "super.users": "User:ANONYMOUS",
            "group.min.session.timeout.ms": 1_000,
        }
        users = [
            word
            for role in ROLES
            if role != USER
            for word in ("--add-scram", f"SCRAM-SHA-512=[name={role},password={PASSWORD}]")
        ]
        return kafka.Listeners({**plain.properties, **authorizer}, [*plain.format_options, *users])


def _rule(acl: Acl) -> AclBinding:
    return AclBinding(
        _RESOURCES[acl.resource],
        acl.name,
        ResourcePatternType[acl.pattern.upper()],
        acl.principal,
        "*",
        AclOperation["DESCRIBE_CONFIGS" if acl.operation == "DescribeConfigs" else acl.operation.upper()],
        AclPermissionType.ALLOW,
    )


async def _done(asked: dict[Any, Any]) -> None:
    await asyncio.gather(*map(asyncio.wrap_future, asked.values()))
