"""Lists the bundles in a directory of models without loading a model."""

from pathlib import Path

import msgspec

from app.adapters.models import bundles, manifest
from app.adapters.models.aliases import Aliases, read_aliases
from app.adapters.models.loading import Loading
from app.errors import ModelRejected
from app.settings import ModelSettings


class ListedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle; ``alias`` is champion, challenger or empty."""

    reference: str
    alias: str
    summary: str


def list_bundles(settings: ModelSettings) -> list[ListedBundle]:
    """Every bundle ordered by name; the summary of one that is refused is the reason."""
    models_dir, loading = Path(settings.dir), Loading.by(settings)
    aliases = _aliases(models_dir)
    paths = sorted(path.parent for path in models_dir.glob(f"*/*/{manifest.FILE_NAME}"))
    return [_listed_bundle(path, aliases, loading) for path in paths]


def _aliases(models_dir: Path) -> Aliases:
    try:
        return read_aliases(models_dir)
    except ModelRejected:
        return Aliases(champion="")


def _listed_bundle(path: Path, aliases: Aliases, loading: Loading) -> ListedBundle:
    reference = f"{path.parent.name}/{path.name}"
    alias = "champion" if reference == aliases.champion else ""
    if not alias and reference in aliases.challengers:
        alias = "challenger"
    return ListedBundle(reference=reference, alias=alias, summary=_summary(path, loading))


def _summary(path: Path, loading: Loading) -> str:
    try:
        _, described = bundles.described(path, loading)
    except ModelRejected as error:
        return str(error)
    figures = (
        f"{name} {value:.3f}"
        for name in ("auc_roc", "average_precision")
        if (value := described.metrics.get(name))
    )
    return ", ".join([f"created {described.created}", f"catalog {described.catalog_digest}", *figures])
