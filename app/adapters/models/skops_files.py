"""Reads and writes estimators as skops files: a zip of arrays and a schema that names types. Pickles are never opened.

skops itself trusts every estimator of scikit-learn and some functions. This module trusts only the types and node kinds in
the models of this service. The list is fixed here and never taken from a file.
"""

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BundleCorrupt

_TYPES = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.dtype",
        "numpy.float64",
        "numpy.int64",
        "numpy.ndarray",
        "numpy.random._generator.Generator",
        "numpy.random.mtrand.RandomState",
        "numpy.uint64",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._variance_threshold.VarianceThreshold",
        "sklearn.frozen._frozen.FrozenEstimator",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.isotonic.IsotonicRegression",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._logistic.LogisticRegressionCV",
        "sklearn.linear_model._stochastic_gradient.SGDClassifier",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.MinMaxScaler",
        "sklearn.preprocessing._data.PowerTransformer",
        "sklearn.preprocessing._data.QuantileTransformer",
        "sklearn.preprocessing._data.RobustScaler",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._label.LabelBinarizer",
        "sklearn.preprocessing._label.LabelEncoder",
        "sklearn.preprocessing._polynomial.PolynomialFeatures",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._classes.ExtraTreeClassifier",
        "sklearn.tree._tree.Tree",
    }
)
# A forged Tree or TreePredictor reads memory out of bounds when it is traversed, so app.adapters.models.forests checks every
# node first. A tree anywhere else in the file is never traversed.
_LOADERS = frozenset(
    {
        "DTypeNode",
        "DictNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "NdArrayNode",
        "ObjectNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    }
)
_SCHEMA = "schema.json"
_ZIP = b"PK"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold, used for every entry so that equal content gives equal bytes."""
_LARGEST_BYTES = 256 * 1024 * 1024
_UNREADABLE = (
    zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError, IndexError, ImportError, OSError,
    RecursionError, NotImplementedError, EOFError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


def dumps(estimator: object) -> bytes:
    """The estimator's bytes; equal estimators give equal bytes."""
    import skops.io  # noqa: PLC0415  # with scikit-learn it takes two seconds; most workers score without

    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    schema = json.loads(source.read(_SCHEMA))
    renamed = _number_nodes(schema)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for old, new in renamed.items():
            _add(archive, new, source.read(old))
        _add(archive, _SCHEMA, json.dumps(schema).encode())
    return target.getvalue()


def loads(data: bytes) -> Any:
    """The estimator. Raises BundleCorrupt, before any object is created, when a type is not on the list."""
    with _readable():
        _checked(data)
        import skops.io  # noqa: PLC0415  # see dumps

        with warnings.catch_warnings():
            # The manifest check reports another version of scikit-learn, and the golden rows test its effect.
            warnings.simplefilter("ignore")
            return skops.io.loads(data, trusted=sorted(_TYPES))


@contextmanager
def parts(data: bytes) -> Iterator["Parts"]:
    """The parts of the estimator, to be read while the context lasts. Raises BundleCorrupt as ``loads`` does."""
    with _readable():
        schema = _checked(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield Parts(schema, archive)


class Parts:
    """Attributes and arrays of the file. No class that it names is imported or created."""

    def __init__(self, node: Any, archive: zipfile.ZipFile) -> None:
        self._node = node
        self._archive = archive

    @property
    def kind(self) -> str:
        """The class with its module."""
        return f"{self._node['__module__']}.{self._node['__class__']}"

    def attribute(self, name: str) -> "Parts":
        """The value of an attribute of an object."""
        return Parts(self._node["content"]["content"][name], self._archive)

    def items(self) -> "list[Parts]":
        """The items of a list."""
        return [Parts(item, self._archive) for item in self._node["content"]]

    def array(self) -> NDArray[Any]:
        """An array of numbers or of records of numbers."""
        content = io.BytesIO(self._archive.read(self._node["file"]))
        found: NDArray[Any] = np.lib.format.read_array(content, allow_pickle=False)
        return found


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise BundleCorrupt(
            f"the model is a skops file that is cut off or damaged ({type(error).__name__})"
        ) from error


def _checked(data: bytes) -> Any:
    """The schema, once every type and every file in it was found to be allowed."""
    if not data.startswith(_ZIP):
        raise BundleCorrupt("the model is not a skops file; a pickle is never opened")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # The sizes that the archive declares, before anything is unpacked: a small file could unpack to fill the memory.
        # zipfile stops reading an entry at its declared size.
        if sum(entry.file_size for entry in archive.infolist()) > _LARGEST_BYTES:
            raise BundleCorrupt("the model is larger than any model of this service")
        if any(name != _SCHEMA and not name.endswith(".npy") for name in archive.namelist()):
            raise BundleCorrupt("the model holds files that are neither numbers nor the schema")
        schema = json.loads(archive.read(_SCHEMA))
    # Every node of the schema, also those that skops would not visit: the check must not depend on how skops reads a file.
    for node in _nodes(schema):
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if name not in _TYPES or node.get("__loader__") not in _LOADERS:
            raise BundleCorrupt(f"the model holds {name} ({node.get('__loader__')}), which is not trusted")
    return schema


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        # One of the three keys is enough: a node with a key missing must fail the check, not escape it.
        if "__class__" in schema or "__loader__" in schema or "__module__" in schema:
            yield schema
        for part in schema.values():
            yield from _nodes(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _nodes(part)


def _number_nodes(schema: Any) -> dict[str, str]:
    """Replace memory addresses, which differ from run to run, by numbers; return the files' new names."""
    numbers: dict[object, int] = {}
    files: dict[str, str] = {}
    for at, node in enumerate(_nodes(schema)):
        if "__id__" in node:
            # Whether equal plain values share an object differs from run to run, so each gets a number of its own.
            key = ("plain", at) if node.get("__loader__") == "JsonNode" else node["__id__"]
            node["__id__"] = numbers.setdefault(key, len(numbers) + 1)
        if "file" in node:
            node["file"] = files.setdefault(node["file"], f"{len(files) + 1}.npy")
    return files


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = (
        3  # zipfile's default depends on the platform; equal estimators must give equal bytes
    )
    archive.writestr(entry, content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
