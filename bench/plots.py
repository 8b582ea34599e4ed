"""Makes the pictures and tables of docs/performance.md and README.md from `bench/results/*.json`: `python -m bench.plots`.

The same results give the same bytes. A missing result file is reported and skipped.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

from bench.pages import headline, page
from bench.pages.pictures import PICTURES

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
README = headline.README
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "fraudstream",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
}


def main() -> None:
    """Draw the pictures of all present results and rewrite the tables of the page."""
    found = page.load()
    for name in page.MEASURED:
        if name not in found:
            print(f"skipped {name}: bench/results/{name}.json is missing; `python -m bench.{name}` makes it")
    for path in draw(found, DOCS / "images"):
        print(f"drew {path.relative_to(DOCS.parent)}")
    PAGE.write_text(page.render(PAGE.read_text(encoding="utf-8"), page.tables(found)), encoding="utf-8")
    print(f"tables of {PAGE.relative_to(DOCS.parent)} are those of the result files")
    figures = {"figures": headline.table(headline.load())}
    README.write_text(page.render(README.read_text(encoding="utf-8"), figures), encoding="utf-8")


def draw(found: Mapping[str, Mapping[str, Any]], directory: Path) -> list[Path]:
    """Write the pictures of these results as ``performance-<name>.svg`` and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    with mpl.rc_context(STYLE):
        for name, (source, picture) in PICTURES.items():
            figure = picture(found[source]) if source in found else None
            if figure is not None:
                drawn.append(directory / f"performance-{name}.svg")
                # Neither a date nor the version of matplotlib: either would change the bytes without a change of data.
                figure.savefig(drawn[-1], metadata={"Date": None, "Creator": "python -m bench.plots"})
    return drawn


if __name__ == "__main__":
    main()
