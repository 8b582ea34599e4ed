"""Ends the worker as soon as a background task of the Kafka client has ended by itself, or cannot go on.

The client continues without it: it fetches nothing, or sends no heartbeat, and only the watchdog would notice, a minute later.
"""

from asyncio import Task
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from app.adapters.observability.causes import named
from app.errors import ClientEnded
from app.streaming.delivery.fail_stop import end_process


class ClientTask(NamedTuple):
    """A task that runs as long as its consumer."""

    name: str
    task: "Task[None]"
    is_closing: Callable[[], bool]
    """Whether its end was asked for."""


class ClientTasks:
    """Watches the tasks of consumers. ``end`` is called with what was being done and the error, and ends the process."""

    def __init__(self, end: Callable[[str, BaseException], object] = end_process) -> None:
        self._end = end
        self._watched: set[Task[None]] = set()

    def watch(self, consumer: AIOKafkaConsumer) -> None:
        """Watch the tasks of a consumer that has started; more calls change nothing."""
        for one in _tasks_of(consumer):
            if one.task not in self._watched:
                self._watched.add(one.task)
                one.task.add_done_callback(partial(self._ended, one))

    def _ended(self, one: ClientTask, task: "Task[None]") -> None:
        self._watched.discard(task)
        if not one.is_closing():
            cause = None if task.cancelled() else task.exception()
            why = "cancelled" if cause is None else named(cause)
            error = ClientEnded(f"the {one.name} of the Kafka client has ended: {why}")
            error.__cause__ = cause
            self._end("fetching records", error)


def _tasks_of(consumer: Any) -> Iterator[ClientTask]:
    """The tasks of aiokafka, which has no public way to them."""
    fetcher, coordinator = consumer._fetcher, consumer._coordinator  # noqa: SLF001  # as the docstring says
    yield ClientTask("fetcher", fetcher._fetch_task, lambda: fetcher._closed)  # noqa: SLF001  # as above
    if (task := getattr(coordinator, "_coordination_task", None)) is not None:
        yield ClientTask("group coordination", task, coordinator._closing.done)  # noqa: SLF001  # as above


def end_on_group_errors(consumer: AIOKafkaConsumer, end: Callable[[KafkaError], object]) -> None:
    """Call ``end`` with an error that keeps a consumer that has started from taking part in its group.

    aiokafka keeps the error for the next fetch and waits for it without end. Faust fetches nothing before partitions are assigned, so
    that a worker without the right to its group waited in silence.
    """
    coordinator: Any = consumer._coordinator  # noqa: SLF001  # as ``_tasks_of``
    keep = coordinator._push_error_to_user  # noqa: SLF001  # as above

    def end_or_keep(error: KafkaError) -> Any:
        end(error)
        return keep(error)

    coordinator._push_error_to_user = end_or_keep  # noqa: SLF001  # as above
