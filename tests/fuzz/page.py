"""The table of docs/data/damaged-input.md, made from ``tests/fuzz/results``: ``python -m tests.fuzz.page``."""

from bench.pages.page import NOT_MEASURED, markdown, render
from tests.fuzz.coverage_guided import result as guided
from tests.fuzz.doors import DOORS
from tests.fuzz.results_file import Result, read
from tests.support.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "data" / "damaged-input.md"


def tables() -> dict[str, str]:
    """Return each table as Markdown, by its marker."""
    found = read()
    head = (
        "door",
        "input",
        "inputs",
        "seed",
        "read or ignored",
        "refused",
        "slowest, ms",
        "memory, MiB",
        "as documented",
    )
    rows = [_row(door.name, door.what, found.get(door.name)) for door in DOORS.values()]
    return {"fuzz": markdown(head, rows) if found else NOT_MEASURED, "coverage-guided": _guided()}


def _guided() -> str:
    found = guided.read()
    head = (
        "door",
        "seconds",
        "of processor time",
        "inputs",
        "edges",
        "kept",
        "slowest, ms",
        "memory, MiB",
        "findings",
    )
    rows = [_guided_row(found[name]) for name in DOORS if name in found]
    return markdown(head, rows) if found else NOT_MEASURED


def _guided_row(found: guided.Result) -> tuple[str, ...]:
    return (
        *(
            f"`{found.door}`",
            f"{found.seconds:,}",
            f"{found.cpu_seconds:,.0f}",
            f"{found.inputs:,}",
            f"{found.edges:,}",
        ),
        *(f"{found.kept:,}", f"{found.slowest_ms:.1f}", f"+{found.growth_mib:.0f}"),
        "none" if found.passed else f"**{len(found.findings)}**",
    )


def _row(name: str, what: str, found: Result | None) -> tuple[str, ...]:
    if found is None:
        return (f"`{name}`", what, "not measured", *[""] * 6)
    read_or_ignored = sum(found.outcomes.get(kind, 0) for kind in ("accepted", "ignored", "read", "nothing"))
    refused = sum(found.outcomes.values()) - read_or_ignored
    return (
        *(f"`{name}`", what, f"{found.inputs:,}", str(found.seed), f"{read_or_ignored:,}", f"{refused:,}"),
        *(f"{found.slowest_ms:.1f}", f"+{found.growth_mib:.0f}", "yes" if found.passed else "**no**"),
    )


def main() -> None:
    """Rewrite the page's table."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
