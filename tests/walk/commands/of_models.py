"""Orders about models, with Kafka."""

from tests.walk.entries import Entry, kafka

OF_MODELS: dict[str, Entry] = {
    "fraudstream model promote baseline/3 --reason TEXT": kafka(says="ordered"),
    "fraudstream model status": kafka(says="baseline/3"),
    'fraudstream lists add bad_devices d-4711 --reason "case 4711"': kafka(says="1 entries changed"),
    "fraudstream lists show bad_devices d-4711": kafka(says="is in bad_devices"),
    "fraudstream lists history bad_devices": kafka(says="case 4711"),
    'fraudstream lists remove bad_devices d-4711 --reason "the customer has it back"': kafka(
        says="1 entries changed"
    ),
    "fraudstream model promote NAME/VERSION --reason TEXT": kafka(
        "fraudstream model promote mine/1 --reason TEXT", says="mine/1"
    ),
    "fraudstream model rollback --reason TEXT": kafka(says="ordered"),
    "fraudstream model release --reason TEXT": kafka(says="withdrawn"),
    "fraudstream control history": kafka(says="TEXT"),
    "fraudstream model challenge NAME/VERSION --reason TEXT": kafka(
        "fraudstream model challenge mine/1 --reason TEXT", says="mine/1"
    ),
    "fraudstream model challenge --none --reason TEXT": kafka(),
    "fraudstream model challenge --release --reason TEXT": kafka(),
    "fraudstream model canary NAME/VERSION --share 0.05 --reason TEXT": kafka(
        "fraudstream model canary mine/1 --share 0.05 --reason TEXT"
    ),
    "fraudstream model canary --stop --reason TEXT": kafka(),
    "fraudstream model compare --labels HISTORY": kafka(
        "fraudstream model compare --labels traffic.parquet", says="decisions"
    ),
    # The records of the walk are of today, in terms of the log: forty days of event time.
    "fraudstream model gate NAME/VERSION": kafka("fraudstream model gate mine/2 --weeks 2", codes=(0, 1)),
    "fraudstream model promote NAME/VERSION --gate-topics --reason TEXT": kafka(
        "fraudstream model promote mine/2 --gate-topics --weeks 2 --reason TEXT", codes=(0, 1)
    ),
    "fraudstream model promote NAME/VERSION --gate HISTORY --reason TEXT": kafka(
        "fraudstream model promote mine/2 --gate traffic.parquet --weeks 3 --reason TEXT",
        codes=(0, 1),
        says="mine/2 against",
    ),
    "fraudstream model promote NAME/VERSION --key key.pem --reason TEXT": kafka(
        "fraudstream model promote mine/1 --key key.pem --reason TEXT", says="ordered"
    ),
    "fraudstream model rollback --key key.pem --reason TEXT": kafka(codes=(0, 1, 2)),
    "fraudstream drift --hours 24": kafka(codes=(0, 1), says="PSI"),
}
