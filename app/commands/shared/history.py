"""Shared by the commands that fold a file or the log: the source, the acceptance rules and the bounds of profiles."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.adapters import file_bounds
from app.adapters.catalog_file.deployed import catalog_computation, computation, declared, declared_texts
from app.adapters.column_mapping import ColumnMapping, load_mapping
from app.adapters.tabular.row_order import OrderRule, RowOrder
from app.domain.acceptance import Acceptance
from app.features.window import DAY_MS, Bounds
from app.history.feature_fold import FeatureFold, catalog_fold, release_fold
from app.history.fold_history import HistorySource
from app.settings import CatalogSettings, Settings

if TYPE_CHECKING:
    from app.replay.refold import FoldRules


def with_catalog(settings: Settings, catalog: str | None) -> Settings:
    """The settings with the catalog of the option; unchanged without the option."""
    if catalog is None:
        return settings
    return msgspec.structs.replace(settings, catalog=CatalogSettings(file=catalog))


def history_source(
    path: Path,
    mapping: str | None,
    settings: Settings,
    labels: Path | None,
    label_delay_days: int,
    order: RowOrder = RowOrder.CHECKED,
) -> HistorySource:
    """Describe the file by its options and the settings. The present time decides what is too far in the future."""
    return HistorySource(
        path=path,
        mapping=file_columns(mapping, settings),
        acceptance=acceptance(settings),
        now_ms=time.time_ns() // 1_000_000,
        labels=labels,
        label_delay_ms=label_delay_days * DAY_MS,
        order=order_rule(order, settings),
    )


def file_columns(mapping: str | None, settings: Settings) -> ColumnMapping:
    """The mapping of a file; the file is read within the bounds of the settings from now on."""
    file_bounds.use(settings.files)
    return load_mapping(
        mapping,
        token_key_file=settings.mapping.token_key_file,
        declared=declared(settings.catalog.file),
    )


def order_rule(order: RowOrder, settings: Settings) -> OrderRule:
    return OrderRule(order, settings.profile.allowed_lateness_seconds * 1000)


def acceptance(settings: Settings) -> Acceptance:
    """Return the limits on event time outside of which a transaction is refused."""
    return Acceptance(
        earliest_event_time_ms=settings.acceptance.earliest_event_time_ms,
        max_future_ms=settings.acceptance.max_future_seconds * 1000,
        numeric_ids=frozenset(filter(None, settings.acceptance.numeric_ids.split(","))),
        declared_texts=declared_texts(settings.catalog.file),
    )


def profile_bounds(settings: Settings) -> Bounds:
    """Return the allowed lateness and the maximum number of events of a profile."""
    return Bounds(settings.profile.allowed_lateness_seconds * 1000, settings.profile.max_events)


def feature_fold(settings: Settings) -> FeatureFold:
    """Return what folds a history: the features of the catalog, within the bounds of the settings."""
    bounds, catalog = profile_bounds(settings), settings.catalog.file
    return catalog_fold(catalog_computation(catalog), bounds) if catalog else release_fold(bounds)


def fold_rules(settings: Settings) -> "FoldRules":
    """Return everything, besides the log, that determines a profile."""
    from app.adapters.cdc.transaction_decoder import decoding_of
    from app.adapters.serde.offline_decoder import decoder
    from app.replay.refold import FoldRules

    by_murmur2 = settings.acceptance.partitioner == "murmur2"
    reading = decoding_of(settings)
    decode = decoder(settings.registry, reading.event, reading.of_json, reading.changes)
    return FoldRules(
        acceptance(settings),
        profile_bounds(settings),
        by_murmur2,
        decode,
        computation(settings.catalog.file),
    )
