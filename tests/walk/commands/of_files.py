"""Commands that read and write files only."""

from tests.walk.entries import Entry, elsewhere, files

TRAINS_AT_LENGTH = "fewer customers than the page: the walk is about commands, not about models"

OF_FILES: dict[str, Entry] = {
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
}
