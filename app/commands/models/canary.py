"""``fraudstream model canary``: let a model decide for a share of the customers."""

from typing import Annotated

import typer

from app.commands.models.control import Author, Given, Json, Key, Reason, Wait, control, send_order


def canary(
    model: Annotated[
        str, typer.Argument(metavar="[NAME/VERSION]", help="The bundle that decides for the share.")
    ] = "",
    *,
    share: Annotated[float, typer.Option(min=0.0001, max=1, help="Share of the customers, 0 to 1.")] = 0.05,
    max_alert_rate: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="End it above this alert rate. Default: twice the rate in its manifest."
        ),
    ] = None,
    min_alert_rate: Annotated[float, typer.Option(min=0, max=1, help="End it below this alert rate.")] = 0.0,
    window: Annotated[
        int, typer.Option(min=1, help="Transactions per worker over which the alert rate is measured.")
    ] = 500,
    max_chunk_ms: Annotated[
        float, typer.Option(help="End it above this mean time to score its part of a chunk, ms.")
    ] = 20.0,
    max_failures: Annotated[int, typer.Option(min=0, help="End it after more failed chunks than this.")] = 0,
    stop: Annotated[bool, typer.Option("--stop", help="End the canary: the champion decides alone.")] = False,
    reason: Reason,
    author: Author = "",
    key: Key = None,
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Let a bundle decide for a share of the customers, the same ones on every worker, within bounds.

    The first worker that measures a value outside the bounds ends the canary on
    all workers. Exit code 1 when a worker refuses or does not answer.
    """
    import msgspec

    from app.adapters.topic_records.control_log import order_record, withdrawal_record
    from app.domain.control import CANARY_KEY, CanaryBounds
    from app.domain.wrong_value import wrong_value
    from app.errors import ConfigurationError
    from app.streaming.control import client as control_client

    if bool(model) is stop:
        raise typer.BadParameter("Give NAME/VERSION or --stop.")
    given = control(Given(reason, author), key)
    if stop:
        send_order(
            given,
            [withdrawal_record(CANARY_KEY)],
            wait,
            control_client.refuses_canary,
            "no canary",
            json=json,
        )
        return
    if max_alert_rate is None:
        max_alert_rate = min(1.0, 2 * control_client.usual_alert_rate(given.settings, model))
    bound = {
        "max_alert_rate": max_alert_rate,
        "min_alert_rate": min_alert_rate,
        "window": window,
        "max_chunk_ms": max_chunk_ms,
        "max_failures": max_failures,
    }
    try:
        bounds = msgspec.convert(bound, CanaryBounds)
        order = control_client.canary(given.settings, model, share, bounds)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{wrong_value(error, CanaryBounds)}. Choose other bounds.") from error
    summary = f"canary  {model} for {share:.2%} of the customers"
    send_order(given, [order_record(order)], wait, control_client.refuses_canary, summary, json=json)
