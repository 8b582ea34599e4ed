"""A small bundle whose model file can be replaced, with matching digests in the manifest."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

from app.adapters.models import bundles
from app.adapters.models.manifest import Manifest, ProfileBounds, TrainingWindow
from app.domain.decision import Thresholds
from app.features import catalog
from app.scoring.model import Distribution, Rows
from tests.unit.forgeries import redeclare

WIDTH = len(catalog.NAMES)
NOTHING = Distribution(edges=[], counts=[0], missing=0, median=None)
DESCRIBED = Manifest(
    name="small",
    version="1",
    created="2025-01-31",
    sklearn=sklearn.__version__,
    catalog_version=catalog.VERSION,
    catalog_digest=catalog.DIGEST,
    features=list(catalog.NAMES),
    thresholds=Thresholds(review=0.2, decline=0.8),
    training=TrainingWindow(first_event_time=0, last_event_time=1, rows=2, frauds=1),
    profile=ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096),
    metrics={"auc_roc": None},
    distributions=dict.fromkeys(catalog.NAMES, NOTHING),
    scores=NOTHING,
)


def made_up_rows(count: int) -> Rows:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(count, WIDTH))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


ROWS = made_up_rows(2000)
FRAUDS = (np.nan_to_num(ROWS[:, 0]) + np.nan_to_num(ROWS[:, 5]) > 2).astype(int)
BOOSTED = HistGradientBoostingClassifier(max_iter=10, early_stopping=False, random_state=0).fit(ROWS, FRAUDS)


def saved(directory: Path) -> Path:
    """Save the bundle ``small/1`` in a directory of models and return its path."""
    path = directory / "small" / "1"
    bundles.save(path, DESCRIBED, BOOSTED, ROWS[:64], "# small/1\n")
    return path


def with_replaced(path: Path, key: str, value: int) -> bytes:
    """Return the model file with every number under a key of its schema replaced."""
    source, target = zipfile.ZipFile(path / "model.skops"), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                pattern = key.encode() + rb'(: \{[^}]*"content": )"-?\d+"'
                content, found = re.subn(pattern, key.encode() + rb'\1"%d"' % value, content)
                assert found
            archive.writestr(name, content)
    return target.getvalue()


def replace_model(path: Path, content: bytes) -> None:
    (path / "model.skops").write_bytes(content)
    redeclare(path)


def with_schema(data: bytes, node: dict[str, str]) -> bytes:
    """Return the skops file with a node added to its schema."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                content = json.dumps(json.loads(content) | {"added": node}).encode()
            archive.writestr(name, content)
    return target.getvalue()
