"""``fraudstream control history``: who gave which order, why and when."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.models.control import Json, utc
from app.rendering import printing

if TYPE_CHECKING:
    from app.domain.orders.past_order import PastOrder

commands = typer.Typer(no_args_is_help=True, help="Print the orders that were given to the workers.")


@commands.callback()
def _group() -> None:
    """Typer makes a group of an application with one command only when there is a callback."""


@commands.command()
def history(
    *,
    limit: Annotated[int, typer.Option(min=1, help="Only the newest so many.")] = 100,
    json: Json = False,
) -> None:
    """Print the orders that were given, the newest last: when, by whom, what and why.

    Orders that are not signed as FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE requires
    are left out.
    """
    import asyncio

    from app.adapters.topic_records.order_history import read_history
    from app.settings import Settings

    _print(asyncio.run(read_history(Settings.from_env()))[-limit:], as_json=json)


def _print(found: "list[PastOrder]", *, as_json: bool) -> None:
    import json

    import msgspec

    if as_json:
        printing.json_text(json.dumps(msgspec.to_builtins(found), indent=2))
        return
    printing.lines(map(_line, found))
    if not found:
        printing.line("no orders")


def _line(order: "PastOrder") -> str:
    return f"{utc(order.ordered_at)}  {order.ordered_by}  {order.key}  {_what(order)}  {order.reason}"


def _what(order: "PastOrder") -> str:
    if order.order is None:
        return "withdrawn"
    content = order.order
    models: Any = content["models"] if isinstance(content.get("models"), list) else [content.get("model")]
    named = ", ".join(
        f"{model.get('name')}/{model.get('version')}" for model in models if isinstance(model, dict)
    )
    return named or ("none" if "models" in content else "records left out")
