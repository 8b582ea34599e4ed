"""Every error of the service. The first level of the tree says what the caller must do.

FraudstreamError
├── InvalidEvent             do not retry: the record becomes a dead letter, byte for byte
├── ConfigurationError       do not start: the message names the setting and the remedy
│   ├── RightMissing         the brokers refuse a right to this user
│   ├── TopicMismatch        a topic is missing or differs from the table in app/topics/topic_specs.py
│   ├── BrokersUnreachable   no broker answers: the setting is wrong, or the brokers or the network are away
│   ├── ListsTooLarge        the lists have more entries than the setting allows
│   ├── ListsIncomplete      the topic of lists has lost its first records
│   ├── DatabaseRefused      the database refuses the role cases, or its tables are of another release
│   ├── InvalidExpression    the text of a condition or a derived value is wrong at a line and column
│   ├── InvalidCatalog       a catalog file is wrong at the lines that the message lists
│   └── InvalidPolicy        a policy file is wrong at the lines that the message lists
├── RegistryAway             the schema registry does not answer: ask again, or continue without it
├── SchemaTooLarge           a schema exceeds its bound: its records are dead letters
├── ModelRejected            do not start, or keep the current model
│   ├── BundleCorrupt        a file is missing, altered or of an untrusted type
│   ├── SignatureRefused     the bundle has no valid signature of the trusted key
│   ├── CatalogMismatch      the model was trained on other features
│   ├── LibraryMismatch      the model was fitted with another release of scikit-learn
│   └── GoldenRowMismatch    the model does not reproduce the scores of its training
├── PolicyRejected           do not start, or keep the current policy
├── TransitionRefused        a case is not in the state that an action needs: show the case again
├── DatabaseAway             the database of cases does not answer: end the process without commit
├── CardNumbersFound         a field of numeric ids holds card numbers: end the process without commit
├── InvalidFile              an input file of a command cannot be used; nothing was written
├── StateCorrupt             stored bytes cannot be decoded; nothing was overwritten
├── StoreFailed              the disk cannot be read or written: end the process without commit
├── ForeignWrite             another worker writes to the same partition: end the process without commit
├── Fenced               another worker has claimed the same partition: end the process without commit
├── LogReplaced              a topic was deleted and created again: end the process without commit
├── ChunkMissing             fetched records were not computed: end the process without commit
├── RecordsLost              retention deleted records that the group has not read: end the process without commit
├── RestoreFailed            profiles cannot be restored from the changelog: end the process without commit
├── RecordsUnreadable        stored records cannot be read: their partition stops, or the command ends
├── StackError               the local stack cannot be started or stopped
│   └── PortTaken            another program took a port before a part could listen: choose another port
├── SendFailed               a record was not acknowledged: end the process without commit
├── FetchFailed              the brokers refuse to give records: end the process without commit
├── ClockWrong               this machine's clock differs from the brokers': end the process without commit
├── ClientEnded              the Kafka client has stopped working: end the process without commit
├── Paused                   the process did not run for longer than its session: end it without commit
├── Stalled                  records wait and no chunk is finished: end the process without commit
└── StopOverdue              the process did not stop in time: end it at once
"""

from enum import StrEnum


class FraudstreamError(Exception):
    """Base of all errors that this service raises on purpose. Operator action: see the class of the error."""


class InvalidReason(StrEnum):
    """Why an event cannot be scored; the error code of its dead letter."""

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
    UNREADABLE = "unreadable"
    NO_OPEN_QUESTION = "no_open_question"
    UNKNOWN_SOURCE = "unknown_source"
    STATE_CORRUPT = "state_corrupt"


class InvalidEvent(FraudstreamError):
    """An event that cannot be scored, now or later. The detail names fields and types, never a value of the event.

    Operator action: fix the producer, then replay the dead letter.
    """

    def __init__(self, reason: InvalidReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ConfigurationError(FraudstreamError):
    """A setting is wrong. Operator action: change the setting that the message names, then start again."""


class RightMissing(ConfigurationError):
    """The brokers refuse a request, because this user lacks the right that the message names. Operator action: grant it;
    `fraudstream acl print` lists what each role needs.
    """


class TopicMismatch(ConfigurationError):
    """A topic is missing or has other properties. Operator action: run `fraudstream topics ensure`, or fix what it lists."""


class BrokersUnreachable(ConfigurationError):
    """No broker answers within the allowed time. Operator action: start the brokers or correct the setting that the message
    names; a worker that had reached them before ends with 70 and finds them after a restart.
    """


class ListsTooLarge(ConfigurationError):
    """The lists have more entries than a worker may hold. A worker ends, with 70 if it was running. Operator action: raise
    FRAUDSTREAM_LISTS_MAX_ENTRIES, or remove entries.
    """


class ListsIncomplete(ConfigurationError):
    """The topic of lists has lost its first records, so that entries would be missing without a sign. Operator action: restore the
    topic from a mirror, or create it again and import the lists; set its retention as `fraudstream topics list` prints it.
    """


class DatabaseRefused(ConfigurationError):
    """The database of cases refuses the connection or a right, or its tables are of another release. Operator action: change the
    setting, or grant the right, that the message names; run the release that made the tables, or a newer one.
    """


class InvalidExpression(ConfigurationError):
    """The text of an expression is no expression over the known names. Operator action: correct it at the line and column that
    the message names.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column


class InvalidCatalog(ConfigurationError):
    """A catalog file is refused. Operator action: correct it at each line that the message lists; `fraudstream catalog check`
    lists them without doing anything else.
    """


class InvalidPolicy(ConfigurationError):
    """A policy file is refused. Operator action: correct it at each line that the message lists; `fraudstream policy check`
    lists them without doing anything else.
    """


class RegistryAway(FraudstreamError):
    """The schema registry does not answer, or rejects the request. Workers retry by themselves. Operator action: restore
    the registry, or correct the setting that the message names.
    """


class SchemaTooLarge(FraudstreamError):
    """A schema, or an answer of the registry, is larger than a bound. Operator action: find who registered it; raise the setting
    that the message names if it is honest.
    """


class ModelRejected(FraudstreamError):
    """A model bundle cannot be used. Operator action: run `fraudstream model verify`, then deploy a valid bundle."""


class PolicyRejected(FraudstreamError):
    """A policy cannot be used. Operator action: run `fraudstream policy check`, then deploy a valid policy to every worker."""


class BundleCorrupt(ModelRejected):
    """A file of the bundle is missing, was altered, or contains a type that is not trusted. Operator action: copy the bundle
    again from where it was trained.
    """


class SignatureRefused(ModelRejected):
    """The bundle is not signed with the key that belongs to FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE. Operator action: find out
    who made the bundle; if it is your own, run `fraudstream model sign`.
    """


class CatalogMismatch(ModelRejected):
    """The bundle was trained on another feature catalog. Operator action: train a model with this release."""


class LibraryMismatch(ModelRejected):
    """The bundle was fitted with another release of scikit-learn. Operator action: train a model with the installed
    release, or install the release that the bundle names.
    """


class GoldenRowMismatch(ModelRejected):
    """The loaded model scores its golden rows differently than after its training, or outside [0, 1]. Operator action: train
    the model again on a machine like those of the workers.
    """


class TransitionRefused(FraudstreamError):
    """A case is not in the state that an action needs, or an argument is out of its bounds. Operator action: read the case again; the
    message says who holds it.
    """


class DatabaseAway(FraudstreamError):
    """The database of cases did not answer within FRAUDSTREAM_CASES_DATABASE_WAIT_SECONDS. The process ends without commit; nothing is
    lost: offsets are stored with the rows. Operator action: start the database; the worker continues after a restart.
    """


class CardNumbersFound(FraudstreamError):
    """The values of a field that is declared as numeric ids are card numbers. The process ends without commit. Operator
    action: correct the producer, or remove the field from FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS.
    """


class InvalidFile(FraudstreamError):
    """An input file of a command cannot be used. Operator action: correct the file, or choose a column mapping.

    ``reason`` is the error code that the same value would have as a record; None where the file itself is the reason.
    """

    def __init__(self, message: str, reason: InvalidReason | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class StateCorrupt(FraudstreamError):
    """Stored bytes cannot be decoded. Operator action: move the worker's data directory aside, which the changelog restores;
    if the changelog itself cannot be decoded, run the release that wrote it. For files of analytics, the message names
    the action.
    """


class StoreFailed(FraudstreamError):
    """RocksDB, or a file of analytics, cannot be read or written. The process ends without commit. At the next start,
    damaged files are moved aside and restored from the changelog. Operator action: if the disk is full, free space
    for the worker's data directory; if files are damaged, check the disk; then start the worker again.
    """


class ForeignWrite(FraudstreamError):
    """Another worker has written to the changelog of a partition that this worker owns. The process ends without commit;
    after a restart it restores the writes of both. Operator action: none; if it happens again, look for a worker that
    cannot reach the coordinator of its group.
    """


class Fenced(FraudstreamError):
    """Another worker has claimed a partition, and the brokers refuse what this one sends to it. The process ends without
    commit; its successor has all states. Operator action: none; if it happens again, look for a worker that cannot
    reach the coordinator of its group.
    """


class LogReplaced(FraudstreamError):
    """The transactions topic was deleted and created again, or truncated, under a running worker. The process ends without
    commit; after a restart it reads the new log from its beginning. Operator action: none; stop the workers before
    you delete a topic.
    """


class ChunkMissing(FraudstreamError):
    """Records that were fetched did not arrive where they are computed. The process ends without commit; after a restart it
    fetches them again. Operator action: none; report it as a fault of fraudstream.
    """


class RecordsLost(FraudstreamError):
    """Retention deleted records of a topic before the group read them. The process ends without commit, at every start.
    Operator action: find out why the group was behind for so long; set FRAUDSTREAM_WORKER_WHEN_RECORDS_LOST=continue to go
    on at the first record that is left. See docs/operate/operations.md#recordslost.
    """


class RestoreFailed(FraudstreamError):
    """The changelog cannot be read to its end, or ends before the local profiles do. Operator action: check the brokers;
    if the changelog was truncated or created again and its content is right, move the worker's data directory aside.
    """


class RecordsUnreadable(FraudstreamError):
    """Records that the brokers store cannot be read. Operator action: look at the disks of the brokers; if no replica has a
    sound copy, `fraudstream dlq skip` leaves the records out.
    """

    def __init__(self, partition_name: str, offset: int, why: str) -> None:
        super().__init__(f"{partition_name} cannot be read from offset {offset}: {why}")


class StackError(FraudstreamError):
    """The local stack cannot be started or stopped. Operator action: read the log file that the message names."""


class PortTaken(StackError):
    """A part of the local stack found its port taken when it started to listen. Operator action: start the stack again."""


class SendFailed(FraudstreamError):
    """The brokers did not acknowledge a record. The process ends without commit. Operator action: check the brokers; start
    the worker again, if the supervisor does not.
    """


class FetchFailed(FraudstreamError):
    """The brokers refuse to give records, for example because the right to read a topic was revoked. The process ends without
    commit. Operator action: remove the cause that the message names, then start the worker again.
    """


class ClockWrong(FraudstreamError):
    """The clock of this machine differs from the brokers' by more than FRAUDSTREAM_WORKER_MAX_CLOCK_SKEW_SECONDS. The process
    ends without commit; nothing is lost. Operator action: synchronize the clocks of workers and brokers, then start the
    worker again.
    """


class ClientEnded(FraudstreamError):
    """A background task of the Kafka client has ended by itself, so that nothing would be read any more. The process ends
    without commit. Operator action: start the worker again, if the supervisor does not; report the cause that the log shows.
    """


class Paused(FraudstreamError):
    """The process did not run for so long that another worker may own its partitions. It ends without commit. Operator
    action: start the worker again, if the supervisor does not; look for a suspended or overloaded machine.
    """


class Stalled(FraudstreamError):
    """Records of a partition waited too long without a finished chunk. The process ends without commit. Operator action:
    start the worker again, if the supervisor does not; if it happens again, see docs/operate/health.md for the
    partition and the step that the message names.
    """


class StopOverdue(FraudstreamError):
    """The process did not stop within FRAUDSTREAM_WORKER_STOP_SECONDS. It ends without commit; nothing is lost. Operator
    action: check the brokers, whose acknowledgements a stop waits for.
    """
