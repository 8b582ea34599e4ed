"""The repair of a changelog whose last records are older versions."""

from collections.abc import Iterable, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.records import CLAIM_KEY, OutRecord
from app.adapters.observability.prometheus import PrometheusMetrics
from app.streaming.state.repair import append_again
from app.streaming.state.restore import Versions
from tests.unit.streaming.state.test_restore import version


class Changelog:
    """One partition: the producer and the store of its owner."""

    def __init__(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        self.records = list(records)
        self.states: dict[bytes, bytes | None] = {}
        self.offset = len(self.records) - 1

    async def claim(self, topic: str, partitions: Iterable[int]) -> None:
        raise NotImplementedError

    async def send(self, topic: str, partition: int, records: Sequence[OutRecord]) -> int:  # noqa: ARG002  # the protocol's signature
        self.records += [(record.key or b"", record.value) for record in records]
        return len(self.records) - 1

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # the protocol's signature
        return [self.states[key] for key in keys]

    def write(self, partition: int, states: Mapping[bytes, bytes], changelog_offset: int) -> None:  # noqa: ARG002  # the protocol's signature
        assert states.items() <= self.states.items()
        self.offset = changelog_offset

    def compacted(self) -> dict[bytes, bytes]:
        return {key: value for key, value in dict(self.records).items() if value is not None}


keys = st.sampled_from([b"c1", b"c2", b"c3"])
versions = st.one_of(st.none(), st.integers(0, 9).map(version))
records = st.lists(st.one_of(st.tuples(keys, versions), st.just((CLAIM_KEY, None))), max_size=20)


@given(slices=st.lists(records, max_size=4))
async def test_compaction_of_a_repaired_changelog_leaves_what_a_restore_keeps(
    slices: list[list[tuple[bytes, bytes | None]]],
) -> None:
    log, chosen = Changelog(record for part in slices for record in part), Versions()
    for part in slices:
        log.states |= chosen.newest(part, log.states)
    before, metrics = len(log.records), PrometheusMetrics()

    await append_again({0: chosen.overtaken}, log, log, "changelog", metrics)

    assert log.compacted() == {key: value for key, value in log.states.items() if value is not None}
    assert log.offset == len(log.records) - 1
    repaired = metrics.registry.get_sample_value("fraudstream_changelog_versions_repaired_total") or 0
    assert len(log.records) - before == repaired == len(chosen.overtaken)


def test_a_claim_is_no_state() -> None:
    assert {} == Versions().newest([(CLAIM_KEY, None)], {})
