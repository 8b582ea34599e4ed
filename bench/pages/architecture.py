"""The picture of the architecture as docs/images/architecture.svg: `python -m bench.pages.architecture`.

The picture is data: boxes on a grid and arrows through points. Topic names are those of the default settings. The same
data give the same bytes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from app.settings import Settings

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "architecture.svg"
WIDTH, HEIGHT = 1200, 600
TOPICS = Settings().topics

Point = tuple[int, int]


class Kind(NamedTuple):
    """How boxes of one kind are drawn."""

    fill: str
    stroke: str
    legend: str


TOPIC = Kind("#fff7e6", "#c98a1b", "Kafka topic")
WORKER = Kind("#e8f1fc", "#2f6fb5", "fraudstream worker")
STORE = Kind("#eaf6ec", "#3c8a4a", "state")
OUTSIDE = Kind("#f2f2f4", "#8a8a94", "another system")


class Box(NamedTuple):
    """A box by its upper left corner, with a title and lines of smaller text."""

    x: int
    y: int
    width: int
    height: int
    kind: Kind
    title: str
    lines: Sequence[str] = ()


class Arrow(NamedTuple):
    """A line through ``points`` with a head at the end, and at the beginning where ``both``."""

    points: Sequence[Point]
    text: str = ""
    at: Point = (0, 0)
    both: bool = False


BOXES = (
    Box(20, 70, 170, 54, OUTSIDE, "operational database", ("Debezium change events",)),
    Box(20, 144, 170, 54, OUTSIDE, "payment switch", ("JSON, Avro or Protobuf",)),
    Box(20, 248, 170, 54, OUTSIDE, "operator", ("orders models",)),
    Box(240, 107, 200, 54, TOPIC, TOPICS.transactions, ("key: customer_id",)),
    Box(240, 222, 200, 54, TOPIC, TOPICS.control, ("models ordered",)),
    Box(240, 290, 200, 54, TOPIC, TOPICS.worker_reports, ("models in use",)),
    Box(240, 380, 200, 54, TOPIC, TOPICS.entity_activity, ("facts; key: KIND:ID",)),
    Box(240, 484, 200, 54, TOPIC, TOPICS.labels, ("outcomes, reported later",)),
    Box(
        500,
        60,
        230,
        154,
        WORKER,
        "risk workers",
        (
            "decode and validate",
            "fold into the customer's profile",
            "add features of entities",
            "score: champion, canary, shadow",
            "outcome, reasons",
        ),
    ),
    Box(500, 248, 230, 54, STORE, "profiles", ("RocksDB and a changelog topic",)),
    Box(500, 336, 230, 44, STORE, "Redis", ("state of terminals and customers",)),
    Box(
        500,
        430,
        230,
        74,
        WORKER,
        "entities workers",
        ("fold facts and labels", "RocksDB and a changelog topic"),
    ),
    Box(790, 60, 190, 54, TOPIC, TOPICS.decisions, ("every decision: the audit log",)),
    Box(790, 134, 190, 54, TOPIC, TOPICS.alerts, ("review and decline, reasons",)),
    Box(790, 208, 190, 54, TOPIC, TOPICS.dead_letters, ("rejected records",)),
    Box(790, 336, 190, 54, TOPIC, TOPICS.notifications, ("questions to customers",)),
    Box(790, 430, 190, 54, TOPIC, TOPICS.answers, ("what customers answered",)),
    Box(1030, 60, 150, 54, WORKER, "analytics workers", ("Parquet, day report",)),
    Box(1030, 134, 150, 54, WORKER, "cases workers", ("Postgres",)),
    Box(1030, 232, 150, 54, OUTSIDE, "case management", (TOPICS.cases,)),
    Box(
        1030,
        336,
        150,
        148,
        WORKER,
        "crm workers",
        ("ask the customer:", "was this you?", "answers become labels"),
    ),
)

ARROWS = (
    Arrow(((190, 97), (215, 97), (215, 125), (240, 125))),
    Arrow(((190, 171), (215, 171), (215, 143), (240, 143))),
    Arrow(((190, 267), (215, 267), (215, 249), (240, 249))),
    Arrow(((240, 317), (215, 317), (215, 283), (190, 283))),
    Arrow(((440, 134), (500, 134)), "chunks", (470, 126)),
    Arrow(((440, 249), (462, 249), (462, 190), (500, 190))),
    Arrow(((500, 202), (473, 202), (473, 317), (440, 317))),
    Arrow(((615, 214), (615, 248)), both=True),
    Arrow(((730, 87), (790, 87))),
    Arrow(((730, 161), (790, 161))),
    Arrow(((730, 196), (760, 196), (760, 235), (790, 235))),
    Arrow(((980, 87), (1030, 87))),
    Arrow(((980, 161), (1030, 161))),
    Arrow(((1005, 161), (1005, 310), (1075, 310), (1075, 336))),
    Arrow(((520, 214), (520, 225), (485, 225), (485, 400), (440, 400)), "facts", (462, 392)),
    Arrow(((440, 416), (470, 416), (470, 450), (500, 450))),
    Arrow(((440, 511), (470, 511), (470, 484), (500, 484))),
    Arrow(((615, 430), (615, 380))),
    Arrow(((730, 358), (750, 358), (750, 205), (730, 205)), "read once a chunk", (812, 316)),
    Arrow(((1030, 358), (980, 358))),
    Arrow(((980, 457), (1030, 457))),
    Arrow(((1105, 484), (1105, 560), (340, 560), (340, 538)), "labels", (722, 552)),
    Arrow(((1105, 188), (1105, 232))),
    Arrow(((1180, 259), (1190, 259), (1190, 574), (310, 574), (310, 538))),
)
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def svg() -> str:
    """The picture."""
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="{FONT}" role="img" aria-label="Architecture of fraudstream">'
        ),
        (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" fill="#5a5a66"/></marker></defs>'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
        *(_arrow(arrow) for arrow in ARROWS),
        *(line for box in BOXES for line in _box(box)),
        *_legend((TOPIC, WORKER, STORE, OUTSIDE)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(box: Box) -> Iterator[str]:
    fill, stroke, _ = box.kind
    yield (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'
    )
    middle = box.x + box.width // 2
    top = box.y + (box.height - 18 * len(box.lines)) // 2
    yield _text(box.title, (middle, top + 5 if box.lines else top + 4), size=13, weight=600)
    for number, line in enumerate(box.lines):
        yield _text(line, (middle, top + 5 + 18 * (number + 1)), size=12, fill="#44444c")


def _text(text: str, at: Point, *, size: int, weight: int = 400, fill: str = "#1d1d22") -> str:
    return (
        f'<text x="{at[0]}" y="{at[1]}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="middle">{escape(text)}</text>'
    )


def _arrow(arrow: Arrow) -> str:
    points = " ".join(f"{x},{y}" for x, y in arrow.points)
    start = ' marker-start="url(#head)"' if arrow.both else ""
    line = (
        f'<polyline points="{points}" fill="none" stroke="#5a5a66" stroke-width="1.5"{start} '
        'marker-end="url(#head)"/>'
    )
    return line + _text(arrow.text, arrow.at, size=11, fill="#5a5a66") if arrow.text else line


def _legend(kinds: Sequence[Kind]) -> Iterator[str]:
    for number, kind in enumerate(kinds):
        x = 20 + 180 * number
        yield (
            f'<rect x="{x}" y="18" width="22" height="15" rx="3" fill="{kind.fill}" stroke="{kind.stroke}" '
            'stroke-width="1.5"/>'
        )
        yield (
            f'<text x="{x + 30}" y="30" font-size="12" fill="#44444c" text-anchor="start">{escape(kind.legend)}</text>'
        )


def main() -> None:
    IMAGE.write_text(svg(), encoding="utf-8")
    print(f"drew {IMAGE}")


if __name__ == "__main__":
    main()
