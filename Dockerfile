# One worker process per container: docker run … fraudstream worker
# The wheel is built with the tools of the build lock; the runtime image contains only the packages of the runtime lock.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
COPY requirements-build.lock requirements-runtime.lock ./
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock \
    && python -m venv /opt/fraudstream \
    && /opt/fraudstream/bin/pip install --no-cache-dir --require-hashes -r requirements-runtime.lock
COPY pyproject.toml LICENSE ./
COPY docs/package.md docs/package.md
COPY docs/schemas docs/schemas
COPY deploy deploy
COPY models models
COPY app app
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/fraudstream/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:${PYTHON}
# scikit-learn's gradient boosting needs libgomp (OpenMP).
# hadolint ignore=DL3008  # the newest security update is wanted, so no version is pinned
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin fraudstream \
    && install -d -o fraudstream -g fraudstream /var/lib/fraudstream /var/cache/fraudstream
COPY --from=build /opt/fraudstream /opt/fraudstream
COPY models /srv/fraudstream/models
WORKDIR /srv/fraudstream
# One OpenMP thread per worker: workers run one per core, and more threads would compete for it.
ENV PATH=/opt/fraudstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    NUMBA_CACHE_DIR=/var/cache/fraudstream \
    FRAUDSTREAM_MODEL_DIR=/srv/fraudstream/models \
    FRAUDSTREAM_WORKER_DATA_DIR=/var/lib/fraudstream \
    FRAUDSTREAM_WORKER_LOG_FORMAT=json
USER 10001
# Compile the folds and the champion at build time, so that a worker starts without compiling. On another processor they
# are compiled once more into the same directory; if that is not writable, every start takes 25 seconds longer.
RUN python -c "from app.features.columns import compile_fold; from app.processing.entity_work import compile_facts; \
    compile_fold(); compile_facts()" \
    && fraudstream model verify
# RocksDB, the only directory that a worker writes to. If it survives restarts, a worker restores in seconds.
VOLUME /var/lib/fraudstream
# For a worker on the default port; override it if FRAUDSTREAM_WORKER_METRICS_PORT differs. Kubernetes uses its own probes.
HEALTHCHECK --interval=30s --start-period=120s --retries=3 CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/livez', timeout=5)"]
# On SIGTERM a worker finishes and commits the chunks in flight.
STOPSIGNAL SIGTERM
ENTRYPOINT ["fraudstream"]
CMD ["worker"]
