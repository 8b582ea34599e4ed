"""The process of the fuzzer: ``python -m tests.fuzz.coverage_guided.target OPTIONS``, started by ``run``; never ends by itself otherwise
than libFuzzer does.
"""

import logging
import sys
from pathlib import Path
from random import Random

import atheris
import msgspec

from tests.support.paths import REPOSITORY


def _compiled_modules() -> set[str]:
    """Modules with functions that numba compiles, which it cannot with the fuzzer's calls in them."""
    return {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for path in (REPOSITORY / "app").rglob("*.py")
        if "@compiled" in path.read_text(encoding="utf-8")
    }


with atheris.instrument_imports(include=["app"], exclude=_compiled_modules()):
    from tests.fuzz.coverage_guided.check import Check
    from tests.fuzz.coverage_guided.findings import Notes
    from tests.fuzz.coverage_guided.inputs import Inputs
    from tests.fuzz.doors import DOORS


class Options(msgspec.Struct):
    """What one process does."""

    door: str
    seed: int
    directory: str
    """Of the corpus, the notes and the inputs that end the process."""
    flags: list[str]
    """For libFuzzer."""
    seeds: int
    """Inputs of the generator to begin with."""


def main() -> None:
    logging.disable(logging.CRITICAL)
    options = msgspec.json.decode(sys.argv[1], type=Options)
    directory, door = Path(options.directory), DOORS[options.door]
    inputs = Inputs(door, options.seed)
    corpus = directory / "corpus"
    if not any(corpus.iterdir()):
        for number in range(options.seeds):
            (corpus / f"seed-{number}").write_bytes(inputs.generated(number))
    # The first input compiles functions and fills caches, which may take longer than libFuzzer waits.
    Check(door, options.seed, Notes(directory / "first.json"), warm_up=1)(inputs.generated(0))
    notes = Notes(directory / "found.json")
    check = Check(door, options.seed, notes, warm_up=options.seeds)

    def change(data: bytes, most_bytes: int, seed: int) -> bytes:
        made = inputs.changed(data, Random(seed))
        return bytes(atheris.Mutate(data, most_bytes)) if made is None else made[:most_bytes]

    atheris.Setup([sys.argv[0], *options.flags, str(corpus)], check, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
