"""``fraudstream crm``: questions to customers and their answers."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.rendering import printing

if TYPE_CHECKING:
    from app.domain.notification import Notification
    from app.settings import Settings

commands = typer.Typer(
    help="Questions to customers about suspicious transactions, and their answers.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@commands.command("questions")
def questions(
    *,
    customer: Annotated[str | None, typer.Option(help="Print only this customer's questions.")] = None,
    json: Json = False,
) -> None:
    """Print the questions sent to customers, one per line."""
    import asyncio

    from app.settings import Settings

    asyncio.run(_questions(Settings.from_env(), customer, as_json=json))


@commands.command("answer")
def answer(
    notification: Annotated[
        str, typer.Argument(metavar="NOTIFICATION", help="notification_id of the question.")
    ],
    *,
    is_fraud: Annotated[
        bool, typer.Option("--fraud", help="The customer did not make the transaction.")
    ] = False,
    is_mine: Annotated[bool, typer.Option("--mine", help="The customer made the transaction.")] = False,
    json: Json = False,
) -> None:
    """Send a customer's answer; a worker of the role crm turns it into a label. See docs/data/groups.md."""
    import asyncio
    import time

    from app.adapters.serde.json_codec import encode_event
    from app.domain.notification import Answer
    from app.settings import Settings
    from app.traffic import console

    if is_fraud is is_mine:
        raise typer.BadParameter("give one of --fraud and --mine")
    settings = Settings.from_env()
    asked = asyncio.run(_find(settings, notification))
    given = Answer(
        notification_id=asked.notification_id,
        customer_id=asked.customer_id,
        transaction_id=asked.transaction_id,
        terminal_id=asked.terminal_id,
        event_time=asked.event_time,
        is_fraud=is_fraud,
        answered_at=time.time_ns() // 1_000_000,
    )
    topic, record = settings.topics.answers, (given.customer_id.encode(), encode_event(given))
    produced = console.send_records([record], topic=topic, kafka=settings.kafka, rate=None)
    printing.line(console.describe(produced, topic, as_json=json, what="answers"))


async def _questions(settings: "Settings", customer: str | None, *, as_json: bool) -> None:
    import msgspec

    from app.adapters.kafka.range_reader import open_range_reader
    from app.adapters.topic_records import questions as asked
    from app.domain.money import display

    if not as_json:
        printing.head_line("NOTIFICATION  CUSTOMER  AMOUNT, TERMINAL: OUTCOME")
    async with open_range_reader(settings.kafka, settings.topics.notifications) as reader:
        async for one in asked.questions(reader):
            if customer in {None, one.customer_id}:
                if as_json:
                    printing.json_text(msgspec.json.encode(one).decode())
                    continue
                money = display(one.amount_minor, one.currency)
                printing.line(
                    f"{one.notification_id}  {one.customer_id}  {money} at {one.terminal_id}: {one.outcome}"
                )


async def _find(settings: "Settings", notification_id: str) -> "Notification":
    from app.adapters.kafka.range_reader import open_range_reader
    from app.adapters.topic_records.questions import find_question

    topic = settings.topics.notifications
    async with open_range_reader(settings.kafka, topic) as reader:
        found = await find_question(reader, notification_id)
    if found is None:
        raise typer.BadParameter(
            f"{notification_id} is not in {topic}; it may have been deleted. `fraudstream crm questions` lists the stored ones."
        )
    return found
