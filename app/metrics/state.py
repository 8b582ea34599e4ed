"""The profiles of a worker: in memory, on disk, and their restore."""

from app.metrics.metric import Metric

METRICS = (
    Metric(
        name="profiles_cached",
        kind="gauge",
        unit="profiles",
        meaning="Profiles cached in memory.",
    ),
    Metric(
        name="profile_cache_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Size of the profiles cached in memory; bounded by FRAUDSTREAM_WORKER_PROFILE_CACHE_BYTES.",
    ),
    Metric(
        name="stored_profiles",
        kind="gauge",
        unit="profiles",
        meaning="RocksDB's estimate of the profiles on the disk of this worker, all partitions together.",
    ),
    Metric(
        name="store_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Size of these profiles: RocksDB's files, and its write buffers.",
    ),
    Metric(
        name="stores_set_aside_total",
        kind="counter",
        unit="databases",
        meaning="Damaged local databases, moved aside and restored from the changelog. Check the disk.",
    ),
    Metric(
        name="changelog_versions_repaired_total",
        kind="counter",
        unit="states",
        meaning="States appended to the changelog again, because its last record of them was an older version.",
    ),
    Metric(
        name="restored_records_total",
        kind="counter",
        unit="records",
        meaning="Changelog records read to restore profiles, after a start or a rebalance.",
    ),
    Metric(
        name="restore_remaining_records",
        kind="gauge",
        unit="records",
        meaning=(
            "Changelog offsets still to be read before this worker scores; 0 while it scores. "
            "Compaction leaves gaps, so the value may fall faster than records are read."
        ),
    ),
)
