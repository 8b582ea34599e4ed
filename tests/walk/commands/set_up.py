"""What installs, and what CONTRIBUTING.md names."""

from tests.walk.entries import Entry, elsewhere, files

TESTS_THEMSELVES = elsewhere("runs the tests, of which this is one")
TOOLS = elsewhere("installs packages or tools, which needs a network")

SET_UP: dict[str, Entry] = {
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
}
