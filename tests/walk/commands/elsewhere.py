"""Commands for systems that the walk does not have; tests named here run what they do."""

from tests.walk.entries import Entry, elsewhere, files, kafka

CLUSTER = elsewhere("needs a Kubernetes cluster: tests/unit/chart renders and checks the chart")
CDC = elsewhere("needs Postgres and Kafka Connect: tests/integration/cdc runs the same files")
REGISTRY = elsewhere("names an example's host: tests/integration/registry runs it with a registry")
MIRROR = elsewhere("needs a mirrored cluster: tests/integration/faults/test_mirror.py runs it")
CASES = elsewhere("needs Postgres: tests/integration/cases runs the role")
UNREADABLE = elsewhere("needs a damaged log: tests/integration/workers/test_unreadable_records.py runs it")

ELSEWHERE: dict[str, Entry] = {
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
    "export FRAUDSTREAM_CASES_DATABASE_URL=postgresql://127.0.0.1:5432/bank": CASES,
    "export FRAUDSTREAM_CASES_USERNAME=fraudstream": CASES,
    "export FRAUDSTREAM_CASES_PASSWORD_FILE=/run/secrets/fraudstream/cases-password": CASES,
    "fraudstream worker --role cases --data-dir data/cases": CASES,
    "fraudstream cases list": CASES,
    "fraudstream cases show CASE": CASES,
    'fraudstream cases suppress terminal m17 --days 14 --reason "test device of the acquirer" --by "A. Analyst"': CASES,
    "fraudstream cases hidden": CASES,
    "fraudstream cases rebuild": CASES,
}
