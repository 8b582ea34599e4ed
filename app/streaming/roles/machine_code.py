"""Compiles before the first chunk, and says in the log when and why there was something to compile: it can take 25 s."""

from collections.abc import Callable

import structlog

from app.adapters.kafka.partitioner import partitions_of
from app.features.compiled import code_folders, compiled_now

_log = structlog.get_logger("machine_code")


def prepare(*compilations: Callable[[], None]) -> None:
    """Load the machine code of the partitioner and of these functions, or compile it: the first chunk must not wait."""
    folders = code_folders()
    if folders.unfit:
        _log.warning("machine_code_unfit", why="; ".join(folders.unfit))
    partitions_of([b"a key"], 1)
    for compilation in compilations:
        compilation()
    if compiled_now:
        kept = str(folders.write) if folders.write else "nowhere: every start compiles again"
        _log.info("machine_code_compiled", functions=len(compiled_now), kept=kept)
