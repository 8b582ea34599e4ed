"""``fraudstream model canary``: a model that decides for a share of the customers."""

from typing import Annotated

import typer

from app.commands.control import Json, Wait, control, give


def canary(
    model: Annotated[
        str, typer.Argument(metavar="[NAME/VERSION]", help="The bundle that is to decide.")
    ] = "",
    *,
    share: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Of the customers that it decides for.")
    ] = 0.05,
    max_alert_rate: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of its transactions. Default: twice what its manifest measured."
        ),
    ] = None,
    min_alert_rate: Annotated[float, typer.Option(min=0, max=1, help="Below it the canary ends too.")] = 0.0,
    window: Annotated[
        int, typer.Option(min=1, help="Transactions of one worker that a rate is taken of.")
    ] = 500,
    max_chunk_ms: Annotated[float, typer.Option(help="Mean time of scoring its part of a chunk.")] = 20.0,
    max_failures: Annotated[int, typer.Option(min=0, help="Chunks that it may fail on.")] = 0,
    stop: Annotated[bool, typer.Option("--stop", help="End the canary: the champion decides alone.")] = False,
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Let a bundle decide for a share of the customers, the same ones on every worker, until it leaves its bounds.

    The first worker that sees it leave them ends it on all. Exit code 1 when a worker refuses or does not answer.
    """
    import msgspec

    from app.adapters.topic_records.control_log import order_record, withdrawal_record
    from app.domain.control import CANARY_KEY, CanaryBounds
    from app.errors import ConfigurationError
    from app.streaming.control import client as control_client

    if bool(model) is stop:
        raise typer.BadParameter("Name the canary, or say --stop.")
    settings, _ = control()
    if stop:
        give(
            settings,
            [withdrawal_record(CANARY_KEY)],
            wait,
            control_client.refuses_canary,
            "no canary",
            json=json,
        )
        return
    if max_alert_rate is None:
        max_alert_rate = min(1.0, 2 * control_client.usual_alert_rate(settings, model))
    given = {
        "max_alert_rate": max_alert_rate,
        "min_alert_rate": min_alert_rate,
        "window": window,
        "max_chunk_ms": max_chunk_ms,
        "max_failures": max_failures,
    }
    try:
        bounds = msgspec.convert(given, CanaryBounds)
        order = control_client.canary(settings, model, share, bounds)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{error}. Choose other bounds.") from error
    said = f"canary  {model} for {share:.2%} of the customers"
    give(settings, [order_record(order)], wait, control_client.refuses_canary, said, json=json)
