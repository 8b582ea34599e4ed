"""``python -m app.demo.machine_code PART``: compiles machine code of the workers, and leaves it where they look for it.

The first start of a version compiles for some 20 seconds. The demo does so in two processes, since numba compiles one function
at a time, and beside the start of its servers. Later starts find the code on disk.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.models.bundles import champion
from app.adapters.models.loading import Loading
from app.demo.workers import Child, stop
from app.features.columns import compile_observe, compile_profiles
from app.processing.entity_work import compile_facts
from app.settings import Settings, values

MOST_SECONDS = 120.0


def _profiles() -> None:
    compile_profiles()
    partitions_of([b"a key"], 1)


def _entities_and_model() -> None:
    compile_observe()
    compile_facts()
    load_champion(Settings.from_env())


def load_champion(settings: Settings) -> None:
    """Load the champion as workers do, which compiles what scores it. Raises ModelRejected or a subclass."""
    champion(Path(settings.model.dir), settings.model.champion, Loading.by(settings.model))


PARTS: dict[str, Callable[[], None]] = {"profiles": _profiles, "entities": _entities_and_model}
"""Each takes about half of the time."""


@contextmanager
def compiling(directory: Path, settings: Settings) -> Iterator[list[Child]]:
    """Compile beside the block, which gets the processes; return when they are done.

    What a process has not compiled in time, or because of an error, the workers compile, or report.
    """
    environment = {name: str(value) for name, value in values(settings).items()}
    parts = [
        Child(f"machine-code-{part}", directory, environment, ["app.demo.machine_code", part])
        for part in PARTS
    ]
    for part in parts:
        part.start()
    try:
        yield parts
        for part in parts:
            part.wait(MOST_SECONDS)
    finally:
        stop(parts)


if __name__ == "__main__":
    PARTS[sys.argv[1]]()
