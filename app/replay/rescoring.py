"""Scores the published features again with the model that the decision names."""

from math import nan
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from app.adapters.catalog_file.deployed import computation
from app.adapters.models.aliases import bundle_path
from app.adapters.models.bundles import Bundle, load
from app.adapters.models.loading import Loading
from app.computation.feature_set import FeatureSet
from app.domain.control import model_id
from app.domain.decision import Alert, Decision, ModelReference
from app.domain.identifiers import decision_id
from app.domain.outcomes.outcome import Outcome
from app.errors import CatalogMismatch, InvalidFile, ModelRejected
from app.features import catalog
from app.features.catalog import Coverage
from app.scoring import policy, scorer
from app.scoring.verdicts import outcome_again
from app.settings import ModelSettings


def bundle_of(settings: ModelSettings, decision: Decision, catalog_file: str = "") -> Bundle:
    """Load the model that decided.

    Raises ModelRejected, CatalogMismatch when this release computes other features, InvalidFile when the number of feature
    values is wrong.
    """
    features = computation(catalog_file).features
    if decision.catalog != features.digest:
        raise CatalogMismatch(
            f"{decision.decision_id} uses feature catalog {decision.catalog}, these settings compute "
            f"{features.digest} (version {catalog.VERSION}). Use the release and the FRAUDSTREAM_CATALOG_FILE that decided."
        )
    if len(decision.features) != features.width:
        raise InvalidFile(f"{decision.decision_id} has {len(decision.features)} features of {features.width}")
    return referenced_bundle(settings, decision.model, catalog_file)


def referenced_bundle(settings: ModelSettings, reference: ModelReference, catalog_file: str = "") -> Bundle:
    """Load the bundle of this name, version and digest. Raises ModelRejected, which says where to get it."""
    where = (
        f"Copy {model_id(reference)} with digest {reference.digest} from where it was trained, or from a worker that ran it, "
        "into FRAUDSTREAM_MODEL_DIR."
    )
    try:
        bundle = load(
            bundle_path(Path(settings.dir), model_id(reference)), Loading.by(settings, catalog_file)
        )
    except ModelRejected as error:
        raise ModelRejected(f"{error} {where}") from error
    if bundle.reference != reference:
        raise ModelRejected(
            f"{model_id(reference)} in {settings.dir} is another model of that name: its digest is {bundle.reference.digest}. "
            f"{where}"
        )
    return bundle


def rescored(alert: Alert, features: FeatureSet, coverage: Coverage, bundle: Bundle) -> dict[str, Any]:
    """Score the published features of an alert and return the alert as it would be published now.

    The states of delayed features depend on other topics: the published ones are used.
    """
    transaction, row = alert.transaction, [nan if value is None else value for value in alert.features]
    score = float(bundle.score(np.array([row]))[0])
    facts = {name: getattr(alert, name) for name in Decision.__struct_fields__} | {
        "decision_id": decision_id(transaction.transaction_id),
        "transaction_id": transaction.transaction_id,
        "customer_id": transaction.customer_id,
        "event_time": transaction.event_time,
        "score": score,
        "outcome": _outcome(alert, score, bundle),
        "thresholds": bundle.thresholds if alert.policy is None else alert.thresholds,
        "model": bundle.reference,
    }
    again = scorer.alert(Decision(**facts), features, row, [coverage, *features.unread], bundle)
    published: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(again))
    for name in (features.names[column] for column in features.delayed):
        if name in alert.snapshot:
            published["snapshot"][name]["state"] = alert.snapshot[name].state
    return published


def _outcome(alert: Alert, score: float, bundle: Bundle) -> Outcome:
    """Without a policy by the thresholds of the model; otherwise by the recorded thresholds and rules."""
    return policy.outcome(score, bundle.thresholds) if alert.policy is None else outcome_again(score, alert)
