"""The guide with Kafka: from the start of the stack to its end."""

from tests.walk.entries import Entry, kafka

OF_THE_GUIDE: dict[str, Entry] = {
    "fraudstream stack up": kafka(says="KAFKA_BOOTSTRAP_SERVERS="),
    'eval "$(fraudstream stack env)"': kafka(
        'eval "$(fraudstream stack env)"; env', says="KAFKA_BOOTSTRAP_SERVERS="
    ),
    "export FRAUDSTREAM_REDIS_PASSWORD_FILE=.fraudstream/stack/redis/password": kafka(),
    "fraudstream topics ensure": kafka(says="All topics are as they must be"),
    # A warning (no worker yet) is no failure; what fails is the check of the clock of a busy machine.
    "fraudstream doctor": kafka(says="topics"),
    "fraudstream worker --data-dir data/worker-1 &": kafka(),
    "fraudstream worker --role entities --data-dir data/entities &": kafka(),
    "fraudstream worker --role analytics --data-dir data/analytics-worker &": kafka(),
    "fraudstream worker --role crm --data-dir data/crm &": kafka(),
    "fraudstream produce traffic.parquet --rate 1000": kafka(says="transactions sent to"),
    "fraudstream labels send traffic.parquet": kafka(says="labels sent to"),
    "fraudstream alerts tail --from-beginning --limit 20": kafka(says="(?:review|decline)"),
    "fraudstream alerts tail --from-beginning --limit 1 --json": kafka(
        "fraudstream alerts tail --from-beginning --limit 1 --json | tee alert.json",
        finds={
            "alert": r'"alert_id":\s*"([^"]+)"',
            "customer": r'"customer_id":\s*"([^"]+)"',
            "partition": r'"partition":\s*(\d+)',
        },
    ),
    "fraudstream explain ALERT_ID": kafka("fraudstream explain {alert}", says="identical"),
    "fraudstream explain --alert FILE": kafka("fraudstream explain --alert alert.json", says="identical"),
    "fraudstream replay --from 2025-01-01": kafka(says="equal"),
    "fraudstream replay --from OFFSET --partition 3": kafka(
        "fraudstream replay --from 0 --partition {partition}", says="equal"
    ),
    "fraudstream replay --from 2025-01-01 --model NAME/VERSION": kafka(
        "fraudstream replay --from 2025-01-01 --model mine/1", codes=(0, 1), says="records in"
    ),
    "fraudstream state show CUSTOMER": kafka("fraudstream state show {customer}", says="transactions"),
    "fraudstream state show CUSTOMER --data-dir DIR": kafka(
        "fraudstream state show {customer} --data-dir data/worker-1",
        codes=(2,),
        says="is in use by the worker",
    ),
    "fraudstream state verify": kafka(says="equal"),
    "fraudstream dlq ls": kafka(says="wrong_type", finds={"letter": r"(\d+:\d+) "}),
    "fraudstream report 2025-02-01": kafka(says="Report of 2025-02-01"),
    "fraudstream report 2025-02-01 --out report.html": kafka(
        codes=(0, 2), says=r"(?:Report of 2025-02-01|pip install)"
    ),
    "fraudstream crm questions": kafka(finds={"question": r"(?m)^(\S+)  \S+  "}),
    "fraudstream crm answer NOTIFICATION --fraud": kafka(
        "fraudstream crm answer {question} --fraud", says="answers sent to"
    ),
    "fraudstream crm answer NOTIFICATION --mine": kafka(
        "fraudstream crm answer {question} --mine", says="answers sent to"
    ),
    "fraudstream monitor --json": kafka(says="cluster_id"),
    "fraudstream monitor": kafka(says="fraudstream-risk"),
    "fraudstream monitor --serve": kafka("timeout 5 fraudstream monitor --serve --port 0", codes=(0, 124)),
    "fraudstream monitor --group fraudstream-risk --interval 5": kafka(says="fraudstream-risk"),
    "fraudstream dlq ls --code wrong_type --since 2026-03-01 --limit 20": kafka(says="wrong_type"),
    "fraudstream dlq ls --summary": kafka(says="wrong_type"),
    "fraudstream dlq show PARTITION:OFFSET": kafka("fraudstream dlq show {letter}", says="personal data"),
    "fraudstream dlq replay PARTITION:OFFSET --dry-run": kafka(
        "fraudstream dlq replay {letter} --dry-run", says="would be sent"
    ),
    "fraudstream dlq replay --code wrong_partition": kafka(says="0 would be sent"),
    "fraudstream dlq replay --all --with-key-from customer_id --yes": kafka(codes=(0, 1), says="sent to"),
    "fraudstream stack down": kafka(says="stopped"),
}
