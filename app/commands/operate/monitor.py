"""``fraudstream monitor``: state of the Kafka cluster, for people, scripts and Prometheus."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.kafka.cluster_state import ClusterState
    from app.operations.polling import ClusterPoller
    from app.settings import Settings

DEFAULT_PORT = 9480
"""Above the ports that workers use."""
PIPE_WIDTH = 160
"""Columns where standard output is no console."""


def monitor(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and exit.")] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve /metrics and /livez instead of drawing.")
    ] = False,
    group: Annotated[
        list[str] | None, typer.Option(help="Show only this consumer group; may be repeated. Default: all.")
    ] = None,
    interval: Annotated[float, typer.Option(min=1, help="Seconds between two polls.")] = 15.0,
    host: Annotated[str, typer.Option(help="With --serve: address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="With --serve: port; 0 takes a free one.")
    ] = DEFAULT_PORT,
) -> None:
    """Show the Kafka cluster: brokers, disks, controller, under-replicated partitions, and the lag of consumer groups.

    Also the share of the newest decisions without features of entities.
    Redraws on a console; prints once elsewhere. Changes nothing.
    """
    import asyncio
    import contextlib

    from app.settings import Settings

    settings, groups = Settings.from_env(), group or []
    if json or not serve:
        _quiet()
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to end it
        if json:
            asyncio.run(_print_json(settings, groups))
        elif serve:
            _serve(settings, groups, interval, host, port)
        else:
            _draw(settings, groups, interval)


async def _print_json(settings: "Settings", groups: list[str]) -> None:
    import msgspec

    from app.operations.recent_decisions import read_installation

    state = await read_installation(settings, groups)
    printing.json_text(msgspec.json.format(msgspec.json.encode(state), indent=2).decode())


def _serve(settings: "Settings", groups: list[str], interval: float, host: str, port: int) -> None:
    import logging.config

    from app.adapters.observability import logs
    from app.adapters.observability.http_server import HttpServer

    logs.configure()
    logging.config.dictConfig(logs.standard_config(settings.worker.log_format, settings.worker.log_level))
    poller = _poller(settings, groups, interval)
    served = HttpServer(host, port, poller.endpoints(), set_by=f"--host {host} --port {port}")
    try:
        _run(poller)
    finally:
        served.close()


def _draw(settings: "Settings", groups: list[str], interval: float) -> None:
    import asyncio

    from rich.live import Live

    from app.operations.cluster_view import cluster_view
    from app.operations.recent_decisions import read_installation
    from app.operations.trends import Trends
    from app.rendering.console import SafeConsole

    console = SafeConsole()
    if not console.is_terminal:
        console = SafeConsole(width=PIPE_WIDTH)
        state = asyncio.run(read_installation(settings, groups))
        console.print(cluster_view(state))
        return
    trends = Trends()
    with Live(console=console, auto_refresh=False) as live:

        def show(state: "ClusterState | None") -> None:
            trends.add(state)
            live.update(cluster_view(state, trends), refresh=True)

        asyncio.run(_poller(settings, groups, interval).run(show))


def _poller(settings: "Settings", groups: list[str], interval: float) -> "ClusterPoller":
    from app.operations.polling import ClusterPoller
    from app.operations.recent_decisions import read_installation

    return ClusterPoller(lambda: read_installation(settings, groups), interval)


def _run(poller: "ClusterPoller") -> None:
    """Poll until Ctrl-C or SIGTERM."""
    import asyncio
    import signal

    async def run() -> None:
        task = asyncio.create_task(poller.run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await asyncio.wait([task])

    asyncio.run(run())


def _quiet() -> None:
    """Turn logging off: the output already shows brokers that are down."""
    import logging

    from app.adapters.observability import logs

    logs.configure()
    logging.disable(logging.CRITICAL)
