"""Feature rows with their scores, from the decisions topic or from a file of `fraudstream score`."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.dataset

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.tail_reader import open_tail_reader
from app.adapters.serde.offline_decoder import readable
from app.computation.feature_set import SHIPPED
from app.domain.decision import ModelReference
from app.domain.words import named
from app.errors import InvalidFile
from app.scoring.drift import SCORE
from app.scoring.model import Rows, Scores
from app.settings import Settings

BATCH_ROWS = 5_000
_FORMATS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json", ".ndjson": "json"}


class ScoredRows(NamedTuple):
    """Feature rows, shape (rows, features), and their scores, shape (rows,)."""

    rows: Rows
    scores: Scores


class _Scored(msgspec.Struct):
    """The fields of a decision that are read here."""

    score: float
    model: ModelReference
    features: list[float | None]


def file_rows(path: Path, names: tuple[str, ...] = SHIPPED.names) -> Iterator[ScoredRows]:
    """The rows of a file of `fraudstream score --with-features`, BATCH_ROWS at a time; ``names`` are the features. Raises InvalidFile."""
    columns = (*names, SCORE)
    if path.suffix not in _FORMATS:
        raise InvalidFile(f"{path}: the suffix must be one of {', '.join(_FORMATS)}")
    try:
        kind = _FORMATS[path.suffix]
        found = pyarrow.dataset.dataset(path, format=kind).schema.names
        if missing := [name for name in columns if name not in found]:
            raise InvalidFile(
                f"{path} has no column {missing[0]}. `fraudstream score FILE --with-features` writes such files."
            )
        table = pyarrow.dataset.dataset(
            path, format=kind, schema=pa.schema([(name, pa.float64()) for name in columns])
        )
        for batch in table.to_batches(columns=list(columns), batch_size=BATCH_ROWS, use_threads=False):
            yield _matrix([column.to_numpy(zero_copy_only=False) for column in batch.columns])
    except (OSError, pa.ArrowException) as error:
        raise InvalidFile(f"{path} cannot be read as {path.suffix[1:]}: {named(error)}") from error


async def decided_rows(
    settings: Settings,
    model: ModelReference,
    since_ms: int | None,
    on_unreadable: Callable[[], None] = lambda: None,
    names: tuple[str, ...] = SHIPPED.names,
) -> AsyncIterator[ScoredRows]:
    """The decisions of ``model`` up to the current end of the topic, BATCH_ROWS at a time.

    ``since_ms`` skips records with an earlier timestamp. ``on_unreadable`` is called for each record that is no decision; it is left
    out, and so is a decision with the features of another release. Raises ConfigurationError when the topic cannot be read.
    """
    decoder, waiting = BoundedDecoder(_Scored), list[_Scored]()
    topics, values = [settings.topics.decisions], readable(settings)
    async with open_tail_reader(settings.kafka, topics, from_beginning=True, values=values) as reader:
        async for record in reader.until(await reader.ends(), since_ms):
            decision = decoder.attempt(record.value)
            if decision is None:
                on_unreadable()
            elif decision.model == model and len(decision.features) == len(names):
                waiting.append(decision)
            if len(waiting) == BATCH_ROWS:
                yield _decisions(waiting)
                waiting.clear()
    if waiting:
        yield _decisions(waiting)


def _decisions(decisions: Sequence[_Scored]) -> ScoredRows:
    rows = np.array([decision.features for decision in decisions], np.float64)
    return ScoredRows(rows, np.array([decision.score for decision in decisions]))


def _matrix(columns: Sequence[Scores]) -> ScoredRows:
    *features, scores = columns
    return ScoredRows(np.ascontiguousarray(np.array(features).T), scores)
