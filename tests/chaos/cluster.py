"""Three brokers that a scenario can kill, pause and restart one by one."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from app.local import stack as local_stack
from app.local.kafka import Listeners
from app.local.processes import is_alive
from app.local.state import Part, Stack

BROKERS = 3
AUTHORIZED = Listeners(
    {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
        # Controllers elect their leader before ACLs are loaded, so that they are super users.
        "super.users": "User:controller",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            'username="controller" password="loopback" user_controller="loopback";'
        ),
    }
)
"""Brokers that check access, and allow everything on a topic without rules."""
_EPOCH = re.compile(r"Becoming the active controller at epoch (\d+)")


class Cluster:
    """A local stack with replication factor 3 and min.insync.replicas 2."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._paused: set[int] = set()
        self.stack: Stack = local_stack.start(
            directory, BROKERS, lifeline_pid=os.getpid(), listeners=AUTHORIZED
        )

    @property
    def servers(self) -> str:
        return self.stack.bootstrap_servers

    @property
    def nodes(self) -> tuple[int, ...]:
        return tuple(broker.id for broker in self.stack.brokers)

    async def leader_of(self, topic: str, partition: int) -> int:
        """Return the current leader of a partition."""
        async with admin_client(self.servers) as admin:
            (described,) = await admin.describe_topics([topic])
        found = {each["partition"]: each["leader"] for each in described["partitions"]}
        return int(found[partition])

    def controller(self) -> int:
        """Return the current quorum leader, by the highest epoch in the brokers' logs: clients see an arbitrary broker."""
        epochs = {
            int(found): node
            for node, log in zip(self.nodes, self.logs(), strict=True)
            for found in _EPOCH.findall(log)
        }
        return epochs[max(epochs)]

    def logs(self) -> list[str]:
        """Return the text of each broker's log."""
        return [self._part(node).log.read_text(encoding="utf-8", errors="replace") for node in self.nodes]

    async def coordinator(self, group: str) -> int:
        """Return the coordinator of a group."""
        async with admin_client(self.servers) as admin:
            return int(await admin.find_coordinator(group))

    async def state_of(self, group: str) -> str:
        """Return the state of a group, such as ``Stable`` or ``PreparingRebalance``."""
        async with admin_client(self.servers) as admin:
            (described,) = await admin.describe_consumer_groups([group])
        return str(described.groups[0][2])

    def kill(self, node: int) -> None:
        """Kill a broker, as a power cut would."""
        self._signal(node, signal.SIGKILL)
        self._paused.discard(node)

    def pause(self, node: int) -> None:
        """Pause a broker: it keeps its connections and answers nothing."""
        self._signal(node, signal.SIGSTOP)
        self._paused.add(node)

    def resume(self, node: int) -> None:
        """Resume a paused broker."""
        self._signal(node, signal.SIGCONT)
        self._paused.discard(node)

    async def start(self, node: int) -> None:
        """Start a dead broker on its data; return when all brokers answer."""
        self.stack = await asyncio.to_thread(local_stack.restart_broker, self._directory, node)

    async def whole(self) -> None:
        """Make every broker run again."""
        for node in tuple(self._paused):
            self.resume(node)
        for node in self.nodes:
            process = self._part(node).process
            if process is None or not is_alive(process):
                await self.start(node)

    def stop(self) -> None:
        """End every broker; keep the data."""
        for node in tuple(self._paused):
            self.resume(node)
        local_stack.stop(self._directory)

    def _signal(self, node: int, number: signal.Signals) -> None:
        os.kill(self._part(node).pid, number)

    def _part(self, node: int) -> Part:
        return next(part for part in self.stack.parts if part.name == f"kafka-{node}")


@asynccontextmanager
async def admin_client(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for one request."""
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def alter_topic(servers: str, topic: str, configs: dict[str, str]) -> None:
    """Set a topic's configuration to exactly these entries."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
    async with admin_client(servers) as admin:
        (response,) = await admin.alter_configs([resource])
    assert [answer[0] for answer in response.resources] == [0], response


async def forbid_writing(servers: str, topic: str) -> None:
    """Refuse all writes to a topic from now on, as after an administrator revoked the right."""
    everybody_may_read = _rule(topic, AclOperation.READ, AclPermissionType.ALLOW)
    nobody_may_write = _rule(topic, AclOperation.WRITE, AclPermissionType.DENY)
    client = _acl_client(servers)
    made = client.create_acls([everybody_may_read, nobody_may_write])
    await asyncio.gather(*map(asyncio.wrap_future, made.values()))


async def allow_writing(servers: str, topic: str) -> None:
    """Remove all rules about the topic."""
    every = AclBindingFilter(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        None,
        None,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    client = _acl_client(servers)
    await asyncio.gather(*map(asyncio.wrap_future, client.delete_acls([every]).values()))


def _rule(topic: str, operation: AclOperation, permission: AclPermissionType) -> AclBinding:
    pattern = ResourcePatternType.LITERAL
    return AclBinding(ResourceType.TOPIC, topic, pattern, "User:*", "*", operation, permission)


def _acl_client(servers: str) -> AdminClient:
    """An admin client of librdkafka, since aiokafka's has no access rules. Its requests end when it is released."""
    return AdminClient({"bootstrap.servers": servers})
