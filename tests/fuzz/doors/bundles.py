"""Bundles: damaged zips, schemas, arrays, golden rows and manifests, with digests that match."""

import json
import os
import warnings
from copy import deepcopy
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import numpy as np
import threadpoolctl
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models import bundles, golden, manifest, skops_files
from app.adapters.models.backends import BackendChoice
from app.adapters.models.checks.limits import Limits
from app.adapters.models.loading import Loading
from app.errors import ModelRejected
from app.features import catalog
from app.scoring.drift import Recent, Reference
from tests.fuzz.doors import model_files
from tests.fuzz.doors.door import ACCEPTED, REFUSED, Door, Payload
from tests.fuzz.doors.model_files import SCHEMA
from tests.fuzz.memory_directory import memory_directory
from tests.fuzz.mutations import NUMBERS, mutated
from tests.support.paths import REPOSITORY

_LIMITS = Limits(bundle_bytes=8 * 1024 * 1024, golden_rows=100, tree_nodes=10_000)
_ROWS, _GOLDEN = 300, 4
_MOST_PLACES = 20_000
"""Values of a schema that is not made larger: the input, not its refusal, would take long."""
_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2,
    2**31,
    2**40,
    10**30,
    1e308,
    float("nan"),
    "",
    "x",
    [],
    {},
    [[]],
    "[1]",
    "1" * 5_000,
)


class Given(NamedTuple):
    """The files of a bundle; the digests are added unless the manifest is damaged."""

    model: bytes
    golden: bytes
    manifest: bytes
    is_declared: bool
    backend: int


@cache
def _sound() -> tuple[Given, ...]:
    """Small bundles of every kind of model. Fitted in one thread: OpenMP's threads do not survive a fork."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(_ROWS, catalog.WIDTH))
    frauds = (rows[:, 0] + rows[:, 3] > 1).astype(np.int64)
    boosted = HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4, random_state=0)
    linear = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    with warnings.catch_warnings(), threadpoolctl.threadpool_limits(1):
        warnings.simplefilter("ignore")  # the network has not converged
        return tuple(
            _bundle(estimator.fit(rows, frauds), rows[:_GOLDEN])
            for estimator in (
                boosted,
                ExtraTreesClassifier(2, max_depth=3, random_state=0),
                FrozenEstimator(DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows, frauds)),
                CalibratedClassifierCV(FrozenEstimator(boosted.fit(rows, frauds))),
                linear,
                make_pipeline(
                    QuantileTransformer(n_quantiles=10), MLPClassifier((3,), max_iter=3, random_state=0)
                ),
            )
        )


def _bundle(estimator: Any, rows: Any) -> Given:
    path = memory_directory() / "golden.parquet"
    golden.write(path, catalog.NAMES, rows, estimator.predict_proba(rows)[:, 1])
    described = (REPOSITORY / "models" / "baseline" / "3" / "manifest.json").read_bytes()
    return Given(skops_files.dumps(estimator), path.read_bytes(), described, is_declared=True, backend=0)


def _make(random: Random) -> Given:
    sound, backend = _sound(), random.randrange(len(_BACKENDS))
    given = random.choice(sound)._replace(backend=backend)
    kind = random.random()
    if kind < 0.02:
        return given
    if kind < 0.85:
        return given._replace(model=_model(given.model, random))
    if kind < 0.95:
        return given._replace(golden=mutated(given.golden, random, [one.golden for one in sound]))
    return given._replace(
        manifest=mutated(given.manifest, random, [given.manifest]), is_declared=random.random() < 0.5
    )


def _model(data: bytes, random: Random) -> bytes:
    if random.random() < 0.15:
        return mutated(data, random, [one.model for one in _sound()])
    files = model_files.unpacked(data)
    if random.random() < 0.6:
        files[SCHEMA] = _schema(files[SCHEMA], random)
    else:
        arrays = sorted(files.keys() - {SCHEMA})
        name = random.choice(arrays)
        files[name] = _array(files[name], random, [files[other] for other in arrays])
    return model_files.packed(files)


def _schema(encoded: bytes, random: Random) -> bytes:
    """Replace, remove or exchange values anywhere in the schema."""
    schema = json.loads(encoded)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(schema))
        (holder, key), (other, other_key) = random.choice(places), random.choice(places)
        kind = random.random()
        if kind < 0.3:
            holder[key] = _odd(holder[key], random)
        elif kind < 0.7:
            holder[key] = deepcopy(
                other[other_key]
            )  # a part of the schema at another place, or inside itself
        elif kind < 0.85 and isinstance(holder, dict):
            holder.pop(key)
        elif isinstance(holder, list):
            holder += deepcopy(holder * random.choice((0, 1, 20)))
        if len(places) > _MOST_PLACES:
            break
    return json.dumps(schema).encode()


def _odd(value: Any, random: Random) -> Any:
    if isinstance(value, str) and value.lstrip("-").isdigit() and random.random() < 0.8:
        return str(random.choice(NUMBERS))  # plain values are JSON in a text
    return random.choice((*_ODD, json.dumps(random.choice(NUMBERS))))


def _places(part: Any) -> Any:
    """Yield each container with each of its keys."""
    stack = [part]
    while stack:
        holder = stack.pop()
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            yield holder, key
            if isinstance(value, dict | list):
                stack.append(value)


def _array(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """Damage the numbers behind the header, or all of it, or take another array."""
    kind = random.random()
    if kind < 0.2:
        return random.choice(others)
    if kind < 0.4:
        return mutated(data, random, others)
    begin = data.index(b"\n") + 1
    numbers = bytearray(data[begin:])
    for _ in range(random.choice((1, 1, 4))):
        at = random.randrange(max(len(numbers) - 7, 1)) & ~3
        numbers[at : at + 8] = (random.choice(NUMBERS) % 2**64).to_bytes(8, "little")
    return data[:begin] + bytes(numbers[: len(data) - begin])


_BACKENDS: tuple[BackendChoice, ...] = ("sklearn", "compiled", "auto")


def _decode(given: Given) -> str:
    path = memory_directory() / str(os.getpid()) / "baseline" / "3"
    path.mkdir(parents=True, exist_ok=True)
    for name, content in (("model.skops", given.model), ("golden.parquet", given.golden), ("CARD.md", b"")):
        (path / name).write_bytes(content)
    (path / "manifest.json").write_bytes(_declared(given, path) if given.is_declared else given.manifest)
    loading = Loading(backend=_BACKENDS[given.backend], limits=_LIMITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflows in forged numbers
        try:
            bundle = bundles.load(path, loading)
        except ModelRejected:
            return REFUSED
        # What a worker does next with a model that it took.
        assert bundle.score(np.zeros((2, catalog.WIDTH))).shape == (2,)
        Recent(Reference(bundle.manifest.distributions, bundle.manifest.scores), 100).drifts()
    return ACCEPTED


def _declared(given: Given, path: Path) -> bytes:
    try:
        described = manifest.decode(given.manifest, path)
    except ModelRejected:
        return given.manifest
    files = {name: sha256((path / name).read_bytes()).hexdigest() for name in manifest.OTHER_FILES}
    return manifest.encode(msgspec.structs.replace(described, files=files))


BUNDLE_DOORS = (
    Door(
        "bundles",
        "model bundles",
        _make,
        _decode,
        frozenset({ACCEPTED, REFUSED}),
        growth_mib=256,
        quick=600,
        payload=Payload(
            lambda given: model_files.schema_of(given.model),
            lambda given, data: given._replace(model=model_files.with_schema(given.model, data)),
        ),
    ),
)
