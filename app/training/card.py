"""Writes ``CARD.md`` of a bundle: data, figures, thresholds and limits of the model."""

from app.adapters.models.manifest import Manifest
from app.domain.clock import utc_text
from app.training.options import TrainingOptions
from app.training.recipe import Piece
from app.training.split import Split


def card(manifest: Manifest, options: TrainingOptions, split: Split, source_name: str) -> str:
    """Return the card of a training run."""
    training, metrics, thresholds = manifest.training, manifest.metrics, manifest.thresholds
    rows = "\n".join(f"| {name} | {_number(value)} |" for name, value in metrics.items())
    return f"""# {manifest.name}/{manifest.version}

Probability that a card or transfer transaction is fraudulent, from {len(manifest.features)} features of the customer
and the transaction (catalog version {manifest.catalog_version}, {manifest.catalog_digest}).

## Model

{_model(options)}, of scikit-learn {manifest.sklearn}; seed {options.seed}, one thread.
{_weighing(options)} The same file, options and libraries give the same bundle, byte for byte.

## Data

`{source_name}`, folded by the code that scores the stream (allowed lateness
{manifest.profile.allowed_lateness_seconds} s, at most {manifest.profile.max_events} events a customer).
Fitted on {training.rows:,} transactions, {training.frauds:,} of them frauds
({training.frauds / training.rows:.2%}), from {_time(training.first_event_time)} to {_time(training.last_event_time)}.
Left out: {split.plan.warm_up_days} days of warm-up before, {split.plan.delay_days} days of label delay after.

## Measured on the {options.test_days} days that follow

| | |
| --- | --- |
{rows}

## Thresholds

Review from {thresholds.review:.6g}, decline from {thresholds.decline:.6g}, chosen on the same held-out days:
{_choice(options)} Precision and recall at these two scores are therefore slightly flattered; ranking figures
(auc_roc, average_precision) are not.

## Limits

- It knows fraud that looks like the fraud in its data, and customers that behave like those in its data.
- A customer's first month is judged on little; the feature states of an alert say so.
- It was not examined for bias between groups of customers.
- Run workers with the profile settings named above: others give other features.
"""


def _model(options: TrainingOptions) -> str:
    return " after ".join(
        f"{piece.path.rpartition('.')[2]} ({_parameters(piece)})" for piece in reversed(options.recipe.pieces)
    )


def _parameters(piece: Piece) -> str:
    return ", ".join(f"{name} {value}" for name, value in piece.parameters.items()) or "defaults"


def _weighing(options: TrainingOptions) -> str:
    recipe = options.recipe
    parts = ["Classes not weighted" if recipe.fraud_weight == 1 else f"A fraud weighs {recipe.fraud_weight}"]
    if options.legitimate_share < 1:
        parts.append(f"of the legitimate rows {options.legitimate_share:.2%}, weighted by the inverse")
    if recipe.absent_share > 0:
        parts.append(f"{recipe.absent_share:.2%} of the rows learnt as without Redis")
    if recipe.calibration != "none":
        parts.append(
            f"{recipe.calibration} calibration on the newest {recipe.calibration_share:.0%} of the rows"
        )
    return "; ".join(parts) + "."


def _choice(options: TrainingOptions) -> str:
    review = f"review is the score that {options.review_share:.2%} of transactions reach,"
    if options.decline_precision is None:
        return f"{review} decline the one that {options.decline_share:.2%} reach."
    return f"{review} decline the lowest from which {options.decline_precision:.0%} are frauds."


def _number(value: float | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"


def _time(milliseconds: int) -> str:
    return utc_text(milliseconds, "%Y-%m-%d %H:%M UTC")
