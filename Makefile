# Needs Python 3.11+ and make. All packages are installed from the requirements*.lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed
# More processes than cores, because most integration tests wait for Kafka.
TEST_PROCESSES ?= 6
IN_PARALLEL = -n $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder --durations 25
# Compile once before the tests, so that the test processes do not all compile at the same time.
COMPILE = $(BENCH)/bin/python -c 'from tests.support.bundle import compile_all; compile_all()'
# Without cached bytecode each process compiles its imports, which adds four seconds to the start of a worker.
unexport PYTHONDONTWRITEBYTECODE
# The demo reports the time until its first alert, including the set-up.
STARTED := $(shell date +%s)

.PHONY: setup hooks demo demo-cdc image test test-all lint bench chaos fuzz fuzz-guided chart-tools manifests lock clean help

setup: $(STAMP)  ## .venv with the locked dependencies and the command `fraudstream` in it

# $(call install,ENVIRONMENT,LOCK). A lock names every package, hence --no-deps.
PIP = -m pip install --quiet --disable-pip-version-check --no-deps
define install
	@echo "installing the packages of $(2) into $(1) ..."
	@$(1)/bin/python $(PIP) --no-compile --require-hashes -r $(2)
	@$(1)/bin/python $(PIP) --no-build-isolation -e .
endef

$(STAMP): requirements.lock pyproject.toml app/console_script.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)
	$(call install,$(VENV),requirements.lock)
	@touch $@

# The tools of a contributor and the compared tools are in a second environment above .venv: the demo starts without them, and our
# worker is measured without them.
$(BENCH_STAMP): $(STAMP) requirements-bench.lock
	@$(PYTHON) -m venv $(BENCH)
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		> $$($(BENCH)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/below.pth
	$(call install,$(BENCH),requirements-bench.lock)
	@touch $@

hooks: $(BENCH_STAMP)  ## ruff, mypy and import-linter before each commit (.pre-commit-config.yaml)
	$(BENCH)/bin/pre-commit install

demo: setup  ## Kafka, workers, generated traffic and live alerts; DEMO_SECONDS=60 ends after 60 seconds
	$(BIN)/fraudstream demo --since $(STARTED) $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

demo-cdc: setup  ## the demo with a database as source: rows inserted into Postgres, Debezium, live alerts; ROWS=10000
	$(BIN)/fraudstream cdc demo $(if $(ROWS),--rows $(ROWS))

VERSION = $(shell sed -n 's/^VERSION = "\(.*\)"/\1/p' app/version.py)
BUILD_IMAGE ?= docker build
image:  ## the container image; BASE=NAME takes another base, BUILD_IMAGE='buildah build --format docker' needs no Docker
	$(BUILD_IMAGE) $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD) --tag fraudstream:$(VERSION) .

test: $(BENCH_STAMP) lint  ## lint, types, import rules and all tests except the slow ones, in some ten minutes
	$(COMPILE)
	$(BENCH)/bin/python -m pytest $(IN_PARALLEL) -m "not slow" --hypothesis-profile quick

test-all: $(BENCH_STAMP) lint  ## every test, before a release: also the demo, short bench and chaos runs, streamed tables
	$(COMPILE)
	TESTS_IN_FULL=1 $(BENCH)/bin/python -m pytest $(IN_PARALLEL) --hypothesis-profile full --ignore tests/chaos
	# Their faults come at fixed times, so other tests must not take the cores from their workers.
	TESTS_IN_FULL=1 $(BENCH)/bin/python -m pytest tests/chaos --durations 25

lint: $(BENCH_STAMP)
	$(BENCH)/bin/ruff check .
	$(BENCH)/bin/ruff format --check .
	$(BENCH)/bin/python -m mypy
	$(BENCH)/bin/lint-imports --no-logo

bench: $(BENCH_STAMP)  ## compare with other tools: throughput, latency, recovery, memory, batch, growth, reasons; then draw the pictures
	$(BENCH)/bin/python -m bench.throughput
	$(BENCH)/bin/python -m bench.latency
	$(BENCH)/bin/python -m bench.recovery
	$(BENCH)/bin/python -m bench.memory
	$(BENCH)/bin/python -m bench.batch
	$(BENCH)/bin/python -m bench.growth
	$(BENCH)/bin/python -m bench.reasons
	$(BENCH)/bin/python -m bench.plots
	$(BENCH)/bin/python -m bench.sizing

chaos: $(BENCH_STAMP)  ## all fault scenarios, those between machines too (they need root), the mutants, and stock Faust: about five hours
	$(BENCH)/bin/python -m tests.chaos
	$(BENCH)/bin/python -m tests.chaos --lab
	$(BENCH)/bin/python -m tests.chaos.mutants
	$(BENCH)/bin/python -m tests.chaos.baseline
	$(BENCH)/bin/python -m tests.chaos.page

# By the door: `make fuzz DOORS="csv parquet" INPUTS=100000`.
DOORS ?= $(shell $(BENCH)/bin/python -c 'from tests.fuzz.doors import DOORS; print(*DOORS)')
INPUTS ?= 1000000
fuzz: $(BENCH_STAMP)  ## a million damaged inputs through every door: about two hours
	for door in $(DOORS); do $(BENCH)/bin/python -m tests.fuzz --door $$door --inputs $(INPUTS) || exit 1; done
	$(BENCH)/bin/python -m tests.fuzz.page

# By the door: `make fuzz-guided GUIDED="json facts" SECONDS=60`.
GUIDED ?= json avro-writers protobuf control facts labels answers bundles batches
SECONDS ?= 600
fuzz-guided: $(BENCH_STAMP)  ## ten minutes of coverage-guided fuzzing for each of nine doors; Linux on x86_64
	for door in $(GUIDED); do $(BENCH)/bin/python -m tests.fuzz.coverage_guided --door $$door --seconds $(SECONDS) || exit 1; done
	$(BENCH)/bin/python -m tests.fuzz.page

# Go is only needed for the tests of the chart, which are skipped without helm and kube-score.
GO ?= $(or $(shell command -v go),/usr/local/go/bin/go)
TOOLS := $(CURDIR)/.tools/bin
chart-tools: $(TOOLS)/helm $(TOOLS)/kube-score  ## helm and kube-score in .tools/bin, built by Go, for the tests of the chart

$(TOOLS)/helm:
	GOBIN=$(TOOLS) $(GO) install helm.sh/helm/v3/cmd/helm@v3.19.5

$(TOOLS)/kube-score:
	GOBIN=$(TOOLS) $(GO) install github.com/zegl/kube-score/cmd/kube-score@v1.20.0

manifests: $(BENCH_STAMP)  ## deploy/kubernetes from the chart; needs helm on the PATH, or `make chart-tools`
	$(BENCH)/bin/python -m tests.support.chart.manifests

lock:  ## update requirements*.lock from pyproject.toml; the only target that needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--extra local --extra registry --extra analytics --extra cases --extra tracing --group setup pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--group build --constraint requirements.lock -o requirements-build.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--extra registry --extra cases --extra tracing --constraint requirements.lock pyproject.toml -o requirements-runtime.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--extra local --extra registry --extra analytics --extra cases --extra tracing --group dev --group bench --constraint requirements.lock pyproject.toml -o requirements-bench.lock
	# A package may have a wheel for one version of Python and none for the next.
	for python in 3.11 3.12 3.13 3.14; do for lock in requirements*.lock; do \
		uv pip install --dry-run --quiet --no-deps --require-hashes --only-binary :all: --target $(VENV)/none \
			--python-version $$python --python-platform x86_64-manylinux_2_28 -r $$lock || exit 1; done; done

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

clean:
	rm -rf $(VENV) $(BENCH) .pytest_cache .mypy_cache .ruff_cache .hypothesis
