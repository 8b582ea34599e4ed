"""A screenshot of a real run of the demo as docs/images/demo.svg: `python -m bench.pages.demo_screen`.

The command runs the demo and keeps the picture of its live screen after ``AT_SECONDS`` seconds of live traffic. Rich
exports the picture; the addresses of web fonts are removed, so that a reader's browser fetches nothing.
"""

import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from app.demo import run as demo
from app.demo import screen
from app.demo.plan import Plan
from app.demo.snapshot import Snapshot
from app.rendering.console import SafeConsole
from app.settings import Settings

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "demo.svg"
WIDTH, HEIGHT = 118, 30
SECONDS = 40.0
AT_SECONDS = 25.0
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_UNIQUE = re.compile(r"terminal-\d+")
_COMMENT = re.compile(r"<!--.*?-->")


class Recorder:
    """A screen that keeps one picture and shows none."""

    period_seconds = 0.5

    def __init__(self) -> None:
        self.svg = ""
        self._live_since: float | None = None

    def draw(self, snapshot: Snapshot) -> None:
        if snapshot.phase != "live" or self.svg:
            return
        self._live_since = self._live_since or time.monotonic()
        if time.monotonic() - self._live_since >= AT_SECONDS:
            self.svg = exported(snapshot)


def exported(snapshot: Snapshot) -> str:
    console = SafeConsole(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(screen.picture(snapshot, WIDTH, HEIGHT))
    svg = console.export_svg(title="fraudstream demo")
    svg = _COMMENT.sub("<!-- python -m bench.pages.demo_screen -->", _FONT_FACE.sub("", svg), count=1)
    return _UNIQUE.sub("demo", svg).replace("Fira Code", "ui-monospace")


def main() -> int:
    """Run the demo, write the picture, return the demo's exit code."""
    recorder = Recorder()

    @contextmanager
    def recorded(_: SafeConsole) -> Iterator[Recorder]:
        yield recorder

    with (
        tempfile.TemporaryDirectory() as directory,
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        patch.object(demo, "open_screen", recorded),
        patch.object(sys, "argv", [".venv/bin/fraudstream", "demo"]),
    ):
        plan = Plan(directory=Path(directory), seconds=SECONDS, rate=500.0, workers=1)
        code = demo.run(plan, Settings.from_env(), SafeConsole(file=nowhere), time.time())
    IMAGE.write_text(recorder.svg, encoding="utf-8")
    print(f"drew {IMAGE}")
    return code


if __name__ == "__main__":
    sys.exit(main())
