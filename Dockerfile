# One worker process per container: docker run … fraudstream worker. `make image` builds it.
# The wheel is built with the tools of the build lock; the runtime image contains only the packages of the runtime lock.
# The base is an image of Debian, or of a system like it, with Python 3.11 as `python`; a bank may have its own.
ARG BASE=python:3.11-slim-bookworm

# hadolint ignore=DL3006  # the default has a tag
FROM ${BASE} AS packages
WORKDIR /src
COPY requirements-runtime.lock ./
RUN python -m venv /opt/fraudstream \
    && /opt/fraudstream/bin/pip install --no-cache-dir --require-hashes -r requirements-runtime.lock

FROM packages AS build
COPY requirements-build.lock ./
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml LICENSE ./
COPY docs/package.md docs/package.md
COPY docs/schemas docs/schemas
COPY deploy deploy
COPY models models
COPY app app
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/fraudstream/bin/pip install --no-cache-dir --no-deps --no-index --prefix /service /wheels/*.whl

# hadolint ignore=DL3006  # as above
FROM ${BASE}
# scikit-learn's gradient boosting needs libgomp (OpenMP). The home of the user is the volume: see below.
# hadolint ignore=DL3008  # the newest security update is wanted, so no version is pinned
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/fraudstream --shell /usr/sbin/nologin fraudstream \
    && install -d -o fraudstream -g fraudstream /var/lib/fraudstream \
    && install -d /var/cache/fraudstream /usr/share/fraudstream
# The packages are a layer of their own, 840 MB: a release with the same lock adds the few megabytes of the service.
COPY --from=packages /opt/fraudstream /opt/fraudstream
COPY --from=build /service /opt/fraudstream
COPY models /srv/fraudstream/models
WORKDIR /srv/fraudstream
# One OpenMP thread per worker: workers run one per core, and more threads would compete for it.
ENV PATH=/opt/fraudstream/bin:$PATH \
    HOME=/var/lib/fraudstream \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    NUMBA_CACHE_DIR=/var/cache/fraudstream \
    FRAUDSTREAM_MODEL_DIR=/srv/fraudstream/models \
    FRAUDSTREAM_POLICY_DIR=/srv/fraudstream/models/policies \
    FRAUDSTREAM_WORKER_DATA_DIR=/var/lib/fraudstream \
    FRAUDSTREAM_WORKER_LOG_FORMAT=json
# Compile the folds and the champion at build time, as root, so that workers read the machine code and cannot change it.
# What does not fit, because the processor is another one or the model was added later, is compiled at the first start and
# kept in $HOME/.cache, on the volume; without a writable volume every start compiles it, which takes 25 to 30 seconds.
# The list of the image's software is for scanners.
RUN python -c "from app.adapters.catalog_file.deployed import catalog_computation; from app.features.columns import compile_fold; \
    from app.lists.table import compile_table; from app.processing.entity_work import compile_facts; \
    compile_fold(); compile_facts(); compile_table(); catalog_computation('baseline').compile()" \
    && fraudstream model verify \
    && python -m app.operations.sbom > /usr/share/fraudstream/sbom.cdx.json
USER 10001
# RocksDB, the only directory that a worker writes to. If it survives restarts, a worker restores in seconds.
VOLUME /var/lib/fraudstream
# It asks workers only, on the port on which they listen; other commands are healthy while they run. Kubernetes has its own probes.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["python", "-m", "app.operations.container_health"]
# On SIGTERM a worker finishes and commits the chunks in flight.
STOPSIGNAL SIGTERM
ENTRYPOINT ["fraudstream"]
CMD ["worker"]
# Last, because they differ from build to build.
ARG BASE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="fraudstream" \
    org.opencontainers.image.description="Real-time fraud scoring on Kafka" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="${BASE}" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
