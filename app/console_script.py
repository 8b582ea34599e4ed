"""The console script of a wheel, where this file is the module ``fraudstream``, outside the package ``app``.

``app`` is a common name. If Python finds another package of that name first, nothing inside ours can say so.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

OURS = '"""fraudstream:'
"""The beginning of our app/__init__.py. Another package that was installed over ours replaced the file."""


def main() -> None:
    """Run the command line, or end with exit code 2 if ``app`` is not ours."""
    if obstacle := remedy(find_spec("app")):
        sys.exit(_refuse(obstacle))
    from app.cli import main as run  # noqa: PLC0415  # only now it is ours

    run()


def remedy(found: ModuleSpec | None) -> str:
    """Return what to do about the package that Python finds as ``app``; empty if it is ours."""
    if found is None:
        return "fraudstream is incomplete: there is no package `app`. Install it again."
    places = [found.origin] if found.origin else list(found.submodule_search_locations or [])
    if found.origin and _begins_as_ours(Path(found.origin)):
        return ""
    return (
        f"Python finds another package named `app`, {', '.join(places)}, instead of fraudstream's. Install fraudstream into a "
        "virtual environment of its own; if PYTHONPATH leads there, unset it."
    )


def _begins_as_ours(file: Path) -> bool:
    try:
        return file.read_text(encoding="utf-8", errors="replace").startswith(OURS)
    except OSError:
        return False


def _refuse(obstacle: str) -> int:
    print(obstacle, file=sys.stderr)  # noqa: T201  # app.rendering cannot be imported
    return 2


if __name__ == "__main__":
    main()
