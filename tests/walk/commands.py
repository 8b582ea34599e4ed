"""What every command of the pages needs, and how it is run where it has place holders.

A command without an entry fails a test. Keys are the commands as the pages write them, without comments.
"""

import re

from tests.walk.entries import Entry, elsewhere, files, kafka
from tests.walk.pages import Step

SETTING = re.compile(r"^[A-Z][A-Z0-9_]*=\S*$")
A_SETTING = elsewhere("a line of an environment file, whose name and value other tests check")

TESTS_THEMSELVES = elsewhere("runs the tests, of which this is one")
TOOLS = elsewhere("installs packages or tools, which needs a network")
CLUSTER = elsewhere("needs a Kubernetes cluster: tests/unit/chart renders and checks the chart")
CDC = elsewhere("needs Postgres and Kafka Connect: tests/integration/cdc runs the same files")
REGISTRY = elsewhere("names an example's host: tests/integration/registry runs it with a registry")
MIRROR = elsewhere("needs a mirrored cluster: tests/integration/faults/test_mirror.py runs it")
UNREADABLE = elsewhere("needs a damaged log: tests/integration/workers/test_unreadable_records.py runs it")
TRAINS_AT_LENGTH = "fewer customers than the page: the walk is about commands, not about models"

COMMANDS: dict[str, Entry] = {
    "make demo": elsewhere("tests/integration/local/test_demo.py runs the command behind it"),
    "make test": TESTS_THEMSELVES,
    "make setup": TOOLS,
    "make lint": TESTS_THEMSELVES,
    "make hooks": TOOLS,
    "make lock": TOOLS,
    ". .venv/bin/activate": elsewhere("the shell of the walk has the command on its path"),
    "python3 -m venv .venv": TOOLS,
    "pip install 'fraudstream[local]'": TOOLS,
    "pip install 'fraudstream[tracing]'": TOOLS,
    "fraudstream demo": elsewhere("tests/integration/local/test_demo.py runs it"),
    # Contributing
    "python -m app.settings.page > docs/settings.md": files(),
    "fraudstream acl print > deploy/acls/acls.sh": files(),
    "python -m app.adapters.serde.published_schemas docs/schemas": files(),
    "python -m tests.support.chart.settings_schema": elsewhere(
        "writes into the clone of the tests; tests/unit/chart compares what it writes"
    ),
    "python -m bench.pages.architecture": elsewhere("draws a picture with the packages of the bench"),
    "python -m pytest tests/unit/features tests/unit/scoring tests/properties/test_window_laws.py "
    "tests/unit/bench/test_pandas_features.py": TESTS_THEMSELVES,
    "python -m pytest tests/properties/profiles tests/unit/profiles tests/unit/catalog": TESTS_THEMSELVES,
    "python -m pytest tests/unit/features tests/unit/history tests/unit/streaming/execution "
    "tests/unit/bench/test_pandas_features.py": TESTS_THEMSELVES,
    # Files
    "fraudstream simulate --customers 2000 --days 40 --seed 7 --out traffic.parquet": files(
        "fraudstream simulate --customers 200 --days 40 --seed 7 --out traffic.parquet",
        reason=TRAINS_AT_LENGTH,
    ),
    "fraudstream model list": files(says="baseline/3"),
    "fraudstream files list": files(says="models"),
    # The clone has folders of these names.
    "fraudstream files copy models": files("fraudstream files copy models --to copied/models"),
    "fraudstream files copy deploy": files("fraudstream files copy deploy --to copied/deploy"),
    "fraudstream features traffic.parquet --out features.parquet": files(),
    "fraudstream score traffic.parquet --out scores.parquet --with-features": files(says="scores.parquet"),
    # Two hundred customers are not the four thousand of the training: it says so by its exit code.
    "fraudstream drift scores.parquet": files(codes=(0, 1), says="PSI"),
    "fraudstream evaluate traffic.parquet": files(says="baseline/3"),
    "fraudstream train traffic.parquet --out models/mine/1": files(says="models/mine/1 written"),
    "fraudstream features card_transaction.v1.csv --mapping tabformer --sort --out features.parquet": files(
        'echo "$TABFORMER" > card_transaction.v1.csv; '
        "fraudstream features card_transaction.v1.csv --mapping tabformer --sort --out features.parquet"
    ),
    "fraudstream features FILE --out features.parquet": files(
        "fraudstream features traffic.parquet --out features.parquet"
    ),
    "fraudstream score FILE --out scores.parquet": files(
        "fraudstream score traffic.parquet --out plain.parquet"
    ),
    "fraudstream model verify NAME/VERSION": files("fraudstream model verify baseline/3", says="is sound"),
    "fraudstream evaluate FILE": files("fraudstream evaluate traffic.parquet --model mine/1", says="mine/1"),
    "fraudstream evaluate FILE --scores SCORES": files(
        "fraudstream evaluate traffic.parquet --scores scores.parquet"
    ),
    "fraudstream evaluate FILE --protocol prequential": files(
        "fraudstream evaluate traffic.parquet --protocol prequential", says="fold 2"
    ),
    "fraudstream train FILE --out models/NAME/VERSION": files(
        "fraudstream train traffic.parquet --out models/mine/2 --test-days 21"
    ),
    "fraudstream train FILE --out models/NAME/VERSION --model RECIPE.toml --legitimate-share 0.1": files(
        'echo "$RECIPE" > recipe.toml; '
        "fraudstream train traffic.parquet --out models/mine/3 --model recipe.toml --legitimate-share 0.1"
    ),
    "fraudstream model gate NAME/VERSION HISTORY": files(
        "fraudstream model gate mine/2 traffic.parquet --weeks 3",
        codes=(0, 1),
        says="mine/2 against baseline/3",
    ),
    "openssl genpkey -algorithm ed25519 -out key.pem": files(),
    "openssl pkey -in key.pem -pubout -out key.pub": files(),
    "fraudstream model sign NAME/VERSION --key key.pem": files(
        "fraudstream model sign mine/1 --key key.pem", says="is signed"
    ),
    "fraudstream model verify NAME/VERSION --public-key key.pub": files(
        "fraudstream model verify mine/1 --public-key key.pub", says="is sound"
    ),
    "fraudstream acl print > acls.sh": files(),
    "fraudstream acl print --role risk --principal risk=User:CN=risk,O=bank --format json": files(
        says="User:CN=risk,O=bank"
    ),
    "fraudstream score yesterday.parquet --out scores.parquet --alerts-only": files(
        "fraudstream score traffic.parquet --out alerts.parquet --alerts-only"
    ),
    "fraudstream simulate --customers 4000 --terminals 8000 --days 90 --seed 1 --out history.parquet": elsewhere(
        "ten minutes: the bundle in models is its result, and the walk simulates and trains in small"
    ),
    "fraudstream train history.parquet --out models/baseline/3": elsewhere("as the simulation before it"),
    # The guide with Kafka
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
    "fraudstream model promote baseline/3 --reason TEXT": kafka(says="ordered"),
    "fraudstream model status": kafka(says="baseline/3"),
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
    "fraudstream dlq ls --code wrong_type --since 2026-03-01 --limit 20": kafka(says="wrong_type"),
    "fraudstream dlq ls --summary": kafka(says="wrong_type"),
    "fraudstream dlq show PARTITION:OFFSET": kafka("fraudstream dlq show {letter}", says="personal data"),
    "fraudstream dlq replay PARTITION:OFFSET --dry-run": kafka(
        "fraudstream dlq replay {letter} --dry-run", says="would be sent"
    ),
    "fraudstream dlq replay --code wrong_partition": kafka(says="0 would be sent"),
    "fraudstream dlq replay --all --with-key-from customer_id --yes": kafka(codes=(0, 1), says="sent to"),
    "fraudstream stack down": kafka(says="stopped"),
    # Elsewhere
    "fraudstream dlq skip TOPIC PARTITION OFFSET --reason TEXT": UNREADABLE,
    "fraudstream dlq skip TOPIC PARTITION OFFSET --reason TEXT --key key.pem": UNREADABLE,
    'fraudstream dlq skip payments.transactions.v1 3 1234567 --reason "disk of broker 2, ticket 4711"': UNREADABLE,
    "export FRAUDSTREAM_REDIS_URL=redis://127.0.0.1:6379/0": elsewhere("the guide's stack has another port"),
    "fraudstream stack up --with postgres,connect": CDC,
    "export FRAUDSTREAM_CDC_MAPPING=deploy/connect/transactions.toml": CDC,
    "psql -f deploy/connect/bank.sql": CDC,
    "fraudstream worker &": CDC,
    "fraudstream cdc register deploy/connect/transactions.json": CDC,
    "fraudstream cdc status": CDC,
    "fraudstream cdc register deploy/connect/reference.json": CDC,
    "fraudstream cdc reference &": CDC,
    "fraudstream alerts tail --reference": CDC,
    "helm install fraudstream deploy/helm/fraudstream -f deploy/helm/fraudstream/values-dev.yaml": CLUSTER,
    "cp deploy/helm/fraudstream/values-production.yaml values.yaml": files(),
    "helm install fraudstream deploy/helm/fraudstream -f values.yaml --namespace fraud --timeout 15m": CLUSTER,
    "kubectl -n fraud get pods -l app.kubernetes.io/instance=fraudstream": CLUSTER,
    "kubectl -n fraud logs job/fraudstream-topics": CLUSTER,
    "kubectl -n fraud create secret generic fraudstream-risk --from-file=password --from-file=ca.crt --from-file=redis-password --from-file=redis-ca.crt": CLUSTER,
    "cd models": elsewhere("the folder of the push after it, which needs a registry of artifacts"),
    "oras push registry.bank.example/fraud-models:42 aliases.toml baseline candidate": elsewhere(
        "needs a registry of artifacts"
    ),
    "helm upgrade fraudstream deploy/helm/fraudstream -n fraud -f values.yaml --set models.artifact.reference=registry.bank.example/fraud-models@sha256:DIGEST": CLUSTER,
    "fraudstream model promote candidate/1 --reason TEXT": kafka(
        "fraudstream model promote mine/1 --reason TEXT", says="mine/1"
    ),
    "export FRAUDSTREAM_REGISTRY_URL=https://registry.example/apis/ccompat/v7": REGISTRY,
    "fraudstream schemas register": REGISTRY,
    "fraudstream schemas check": REGISTRY,
    "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=kafka.mirror.example:9092 fraudstream topics ensure": MIRROR,
    "fraudstream state rebuild --from-mirror": MIRROR,
    "FRAUDSTREAM_TRACING_OTLP_URL=https://collector.example:4318/v1/traces fraudstream worker": elsewhere(
        "names an example's collector: tests/integration has a worker with traces"
    ),
}


def entry(step: Step) -> Entry | None:
    """What the walk does with a step; None for a command that is in no class."""
    return A_SETTING if SETTING.match(step.command) else COMMANDS.get(step.command)
