"""Checks the schema of a model file: which types it names, and by which code skops would create each.

skops itself trusts every estimator of scikit-learn and some functions. This module trusts only the types in the models of this
service, each with the one kind of skops node that creates it: another kind would call the type with arguments from the file.
The list is fixed here and never taken from a file.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.adapters.models.checks.archive import Header
from app.errors import BundleCorrupt

MOST_LEVELS = 100
"""Levels of the schema. A calibrated pipeline of pipelines has 40."""
MOST_TEXT = 4_096
"""Characters of a plain value: a number, a name or a parameter."""
_PROTOCOL = 2
"""The format that skops writes. It reads files of an older format by older code, which a file must not choose."""
_VALUE, _ARRAY, _GENERATOR = "JsonNode", "NdArrayNode", "RandomGeneratorNode"
_TREE, _LOSS = "TreeNode", "LossNode"
_AXES = (1, 1, 3)
"""Axes of a tree's classes, nodes and values."""
_POOL_SIZE = "4"
"""Numbers in the pool of a generator's seed. NumPy mixes each with each when it is created; no library asks for another size."""
_KEYS = {"__class__", "__module__", "__loader__"}

_CONTAINERS = {
    "builtins.dict": {"DictNode"},
    "builtins.list": {"ListNode"},
    "builtins.str": {_VALUE, "TypeNode"},
    "builtins.tuple": {"TupleNode"},
    "numpy.dtype": {"DTypeNode"},
    "numpy.float64": {_ARRAY, "TypeNode"},
    "numpy.int64": {_ARRAY, "TypeNode"},
    "numpy.ndarray": {_ARRAY},
    "numpy.random._generator.Generator": {_GENERATOR},
    "numpy.random.mtrand.RandomState": {"RandomStateNode"},
    "numpy.uint64": {_ARRAY, "TypeNode"},
    "sklearn._loss._loss.CyHalfBinomialLoss": {_LOSS},
    "sklearn.tree._tree.Tree": {_TREE},
}
"""A TypeNode is the type of a dictionary's keys."""
_OBJECTS = (
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
)
_LOADERS = _CONTAINERS | {name: {"ObjectNode"} for name in _OBJECTS}
TYPES = tuple(sorted(_LOADERS))


def checked(encoded: bytes) -> Any:
    """The schema, once every node in it is found to be allowed. Raises BundleCorrupt, or ValueError where it is no JSON."""
    schema = json.loads(encoded)
    if not isinstance(schema, dict) or schema.get("protocol") != _PROTOCOL:
        raise BundleCorrupt(f"the model is not stored in the format {_PROTOCOL} of skops")
    # Every node of the schema, also those that skops would not visit: the check must not depend on how skops reads a file.
    for node in nodes(schema):
        _check(node)
    return schema


def check_native(described: Any, headers: Mapping[str, Header]) -> None:
    """Raise BundleCorrupt unless each object of C code gets what its constructor expects: it reads the shape of an array that
    may be none, or may have no axes, before it looks.
    """
    for node in nodes(described):
        if node["__loader__"] == _TREE and not _is_tree(node, headers):
            raise BundleCorrupt("a tree of the model is malformed: it is not made of its arrays")
        if node["__loader__"] == _LOSS and (
            node["__reduce__"]["args"]["content"] or node["content"]["content"]
        ):
            raise BundleCorrupt("the loss of the model has parameters, and takes none")


def _is_tree(node: dict[str, Any], headers: Mapping[str, Header]) -> bool:
    state, (_, classes, outputs) = node["content"], node["__reduce__"]["args"]["content"]
    if state["__loader__"] != "DictNode" or outputs["content"] != "1":
        return False
    arrays = (classes, state["content"]["nodes"], state["content"]["values"])
    if any(part["__loader__"] != _ARRAY or part["type"] != "numpy" for part in arrays):
        return False
    axes = tuple(len(headers[part["file"]].shape) for part in arrays)
    return axes == _AXES and all(part["__class__"] == "ndarray" for part in arrays)


def with_own_ids(schema: Any) -> Any:
    """The schema with a different id for each node. Where nodes have one id, skops uses the first of them for all, even if their
    contents differ, and visits the nodes that they share many times. Nodes of one array keep a common id.
    """
    numbers: dict[object, int] = {}
    for at, node in enumerate(nodes(schema)):
        is_stored = node["__loader__"] == _ARRAY and node.get("type") == "numpy"
        key = (node["__class__"], node["file"]) if is_stored else at
        node["__id__"] = numbers.setdefault(key, len(numbers) + 1)
    return schema


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every node, a node before those inside it. Raises BundleCorrupt where the schema has too many levels."""
    stack = [(schema, 1)]
    while stack:
        part, level = stack.pop()
        if level > MOST_LEVELS:
            raise BundleCorrupt(f"the schema of the model has more than {MOST_LEVELS} levels")
        # One of the keys is enough: a node with a key missing must fail the check, not escape it.
        if isinstance(part, dict) and not _KEYS.isdisjoint(part):
            yield part
        inside = list(part.values()) if isinstance(part, dict) else part
        stack += [(item, level + 1) for item in reversed(inside) if isinstance(item, dict | list)]


def _check(node: dict[str, Any]) -> None:
    name = f"{node.get('__module__')}.{node.get('__class__')}"
    loader = node.get("__loader__")
    if not isinstance(loader, str) or loader not in _LOADERS.get(name, ()):
        raise BundleCorrupt(f"the model holds {name} ({loader}), which is not trusted")
    if loader == _GENERATOR and node["content"]["seed_seq"]["content"]["pool_size"]["content"] != _POOL_SIZE:
        raise BundleCorrupt("the model holds a random generator that takes long to create")
    if loader == _VALUE:
        content = node["content"]
        # A list in the text would be created without any of these checks.
        if not isinstance(content, str) or len(content) > MOST_TEXT or content.lstrip()[:1] in {"[", "{"}:
            raise BundleCorrupt("the model holds a plain value that is none, or is too long")
