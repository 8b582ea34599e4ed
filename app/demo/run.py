"""Runs the demo: stack, topics, workers, traffic, a live screen, and the reconciliation at the end."""

import asyncio
import logging
import os

import msgspec
import uvloop

from app.demo.folder import STACK, fresh
from app.demo.machine_code import compiling
from app.demo.models import with_models
from app.demo.plan import Plan
from app.demo.screen import open_screen, waiting
from app.demo.session import Session
from app.local import stack as local_stack
from app.local.state import Stack
from app.rendering.console import SafeConsole
from app.settings import Settings
from app.topics import provisioning

EXIT_UNRECONCILED = 1
EXIT_INTERRUPTED = 130
PARTITIONS = 4
"""Few, because on two cores a broker that has just started spends most of its time on requests per partition."""


def run(plan: Plan, settings: Settings, console: SafeConsole, started_seconds: float) -> int:
    """Run the demo and return the exit code. Everything that was started is stopped, however the demo ends."""
    # A topic created a moment ago has no leader yet: aiokafka logs an error and retries.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    directory = fresh(plan.directory)
    settings = with_models(settings, os.environ)
    try:
        with waiting(console, "starting Kafka and Redis …"), compiling(directory, settings):
            stack = local_stack.start(directory / STACK, brokers=1, lifeline_pid=os.getpid())
        local = _local(settings, stack)
        session = Session(plan, local, directory, started_seconds)
        return uvloop.run(_run(session, local, console))
    finally:
        local_stack.stop(directory / STACK)


async def _run(session: Session, settings: Settings, console: SafeConsole) -> int:
    interrupted = False
    try:
        await provisioning.ensure(settings)
        with open_screen(console) as screen:
            interrupted = await session.run(screen)
    except asyncio.CancelledError:  # a second Ctrl-C, or one before the traffic began
        interrupted = True
    for line in session.snapshot.summary():
        console.print(line, soft_wrap=True, highlight=False)
    if session.snapshot.reconciliation.balance().differences():
        return EXIT_INTERRUPTED if interrupted else EXIT_UNRECONCILED
    return 0


def _local(settings: Settings, stack: Stack) -> Settings:
    """Return the settings of the environment, with the addresses of this stack."""
    return msgspec.structs.replace(
        settings,
        kafka=msgspec.structs.replace(settings.kafka, bootstrap_servers=stack.bootstrap_servers),
        topics=msgspec.structs.replace(settings.topics, replication_factor=1, partitions=PARTITIONS),
        worker=msgspec.structs.replace(settings.worker, metrics_port=0),
        redis=stack.redis,
    )
