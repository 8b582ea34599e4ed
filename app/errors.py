"""Every error of the service. The first level says what the caller must do.

FraudstreamError
├── InvalidEvent             never retry: to the dead letters, byte for byte
├── ConfigurationError       refuse to start: the message names the setting and the remedy
│   └── TopicMismatch        a topic is missing or differs from the table in app/topics/topic_specs.py
├── RegistryAway             the schema registry gives no answer: ask again, or do without
├── ModelRejected            refuse to start, or keep the running model
│   ├── BundleCorrupt        a file is missing, altered or of an untrusted type
│   ├── SignatureRefused     nobody who is trusted vouches for the bundle
│   ├── CatalogMismatch      the model was trained on other features
│   ├── LibraryMismatch      the model was fitted with another release of scikit-learn
│   └── GoldenRowMismatch    the model does not give the scores it gave when it was trained
├── InvalidFile              a command's input file cannot be used; nothing was written
├── StateCorrupt             stored bytes cannot be read; nothing was overwritten
├── StoreFailed              the disk cannot be read or written: end the process without commit
├── ForeignWrite             another worker writes to the same partition: end the process without commit
├── LogReplaced              a topic that is read was made anew: end the process without commit
├── RestoreFailed            profiles cannot be restored from the changelog: end the process, as below
├── StackError               the local stack cannot be started or stopped
├── SendFailed               a record was not acknowledged: end the process without commit
├── Paused                   the process stood still past its session: end it without commit
├── Stalled                  records wait and nothing is finished: end the process without commit
└── StopOverdue              the process did not end in time when asked to: end it as it is
"""

from enum import StrEnum


class FraudstreamError(Exception):
    """Base of all errors raised on purpose by this service."""


class InvalidReason(StrEnum):
    """Why an event can never be scored; the error code of a dead letter."""

    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    FUTURE_TIME = "future_time"
    ABSURD_TIME = "absurd_time"
    CARD_NUMBER = "card_number"
    UNKNOWN_SCHEMA = "unknown_schema"
    SCHEMA_MISMATCH = "schema_mismatch"
    UNDECODABLE = "undecodable"
    REGISTRY_AWAY = "registry_away"


class InvalidEvent(FraudstreamError):
    """An event that will never succeed. Operator action: mend the producer, then replay the dead letter.

    The detail names fields and types, never a value of the event.
    """

    def __init__(self, reason: InvalidReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ConfigurationError(FraudstreamError):
    """A setting is wrong. Operator action: change the setting that the message names and start again."""


class TopicMismatch(ConfigurationError):
    """A topic is missing or differs. Operator action: `fraudstream topics ensure`, or mend what it lists."""


class RegistryAway(FraudstreamError):
    """The schema registry does not answer, or refuses to. Workers ask again by themselves. Operator action: bring it back, or
    correct the setting that the message names.
    """


class ModelRejected(FraudstreamError):
    """A bundle may not score. Operator action: `fraudstream model verify`, then deploy a sound bundle."""


class BundleCorrupt(ModelRejected):
    """A file of the bundle is missing, was altered, or holds a type that is not trusted."""


class SignatureRefused(ModelRejected):
    """The bundle is not signed by the owner of FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE. Operator action: find out who made
    it; `fraudstream model sign` if it is yours.
    """


class CatalogMismatch(ModelRejected):
    """The bundle was trained on another feature catalog. Operator action: train with this release."""


class LibraryMismatch(ModelRejected):
    """The bundle was fitted with another release of scikit-learn. Operator action: train with this release, or run the
    one that the bundle names.
    """


class GoldenRowMismatch(ModelRejected):
    """The loaded model scores its golden rows differently, or gives a score outside [0, 1]."""


class InvalidFile(FraudstreamError):
    """An input file of a command cannot be used. Operator action: mend the file or choose a mapping."""


class StateCorrupt(FraudstreamError):
    """Stored bytes cannot be read. Operator action, where they are a table's: delete the worker's data directory; the
    changelog restores it. Where they are of analytics, the message says it. If the changelog itself is unreadable, run the release that wrote it.
    """


class StoreFailed(FraudstreamError):
    """RocksDB, or a file of analytics, cannot be read or written. The process ends without commit; start it again. Damaged files are moved aside
    then, and the changelog restores them. Operator action: where the disk is full, make room in the worker's data
    directory; where files are damaged, look at the disk.
    """


class ForeignWrite(FraudstreamError):
    """Another worker has written to the changelog of a partition that this one has. The process ends without commit;
    started again, it restores what both have written. Operator action: none, unless it goes on: then look for a
    worker that cannot reach the group's coordinator.
    """


class LogReplaced(FraudstreamError):
    """The transactions topic was deleted and made again, or cut, under a running worker. The process ends without commit;
    started again, it reads the new log from its beginning, as another one. Operator action: none; stop the workers
    before you delete a topic.
    """


class RestoreFailed(FraudstreamError):
    """The changelog cannot be read up to its end, or ends before the local profiles do. Operator action: look at
    the brokers; where the changelog was cut or made anew, delete the worker's data directory.
    """


class StackError(FraudstreamError):
    """The local stack cannot be started or stopped. The message names the part and its log file."""


class SendFailed(FraudstreamError):
    """A record was not acknowledged by the broker. The process ends without commit and is started again."""


class Paused(FraudstreamError):
    """The process did not run for so long that its partitions are another worker's. It ends; start it again."""


class Stalled(FraudstreamError):
    """Records waited too long without progress. The process ends; start it again. If it happens again, the message
    says which partition and which step: docs/operate/health.md.
    """


class StopOverdue(FraudstreamError):
    """The process was asked to stop and did not in time. It ends without commit; nothing is lost. Operator action:
    look at the brokers, for which a stop waits.
    """
