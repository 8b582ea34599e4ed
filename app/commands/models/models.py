"""``fraudstream model``: list, verify, sign, compare and promote model bundles."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.models import canary, champion, compare, gate
from app.rendering import printing

if TYPE_CHECKING:
    from app.adapters.models.bundles import Bundle
    from app.settings import Settings

commands = typer.Typer(
    no_args_is_help=True, help="List, verify, sign, compare, promote and roll back model bundles."
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@commands.command("list")
def show(json: Json = False) -> None:
    """Print every bundle, with its alias of aliases.toml."""
    import msgspec

    from app.adapters.models.listing import list_bundles
    from app.settings import Settings

    settings = Settings.from_env().model
    listed = list_bundles(settings)
    if json:
        printing.json_text(json_format.dumps({"models": msgspec.to_builtins(listed)}, indent=2))
        return
    if not listed:
        printing.line(
            f"There are no models in {Path(settings.dir).absolute()}. Set FRAUDSTREAM_MODEL_DIR, train one with "
            "`fraudstream train`, or copy the baseline with `fraudstream files copy models`."
        )
        return
    printing.table(
        ("MODEL", "ALIAS", "CREATED, FIGURES"),
        ((entry.reference, entry.alias and f"[{entry.alias}]", entry.summary) for entry in listed),
    )


@commands.command("verify")
def verify(
    model: Annotated[str, typer.Argument(metavar="[NAME/VERSION]", help="Default: the champion.")] = "",
    public_key: Annotated[
        Path | None,
        typer.Option(
            help="Require a signature by this key. Default: FRAUDSTREAM_MODEL_PUBLIC_KEY_FILE, if set."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Load a bundle and run every check; exit code 1, with the reason, when a worker would refuse it."""
    import msgspec

    from app.settings import Settings

    settings = Settings.from_env()
    if public_key is not None:
        trusting = msgspec.structs.replace(settings.model, public_key_file=str(public_key))
        settings = msgspec.structs.replace(settings, model=trusting)
    bundle = load_champion(settings, model, compare_again=True)
    reference = bundle.reference
    if json:
        facts: dict[str, Any] = {"model": f"{reference.name}/{reference.version}", "digest": reference.digest}
        backend = {"by_batch": bundle.backend.by_batch, "call_us": bundle.backend.micros}
        facts |= {"sound": True, "warnings": list(bundle.warnings), "backend": backend}
        printing.json_text(json_format.dumps(facts))
        return
    printing.line(f"{reference.name}/{reference.version} is sound, digest {reference.digest}")
    for rows, name in bundle.backend.by_batch.items():
        took = {scorer: micros[rows] for scorer, micros in bundle.backend.micros.items()}
        timings = ", ".join(f"{scorer} {micros:,.0f} µs" for scorer, micros in took.items())
        printing.line(f"up to {rows:>3} rows scored by {name}" + (f"  ({timings})" if timings else ""))


@commands.command("sign")
def sign(
    model: Annotated[str, typer.Argument(metavar="NAME/VERSION", help="The bundle to sign.")],
    *,
    key: Annotated[Path, typer.Option(help="PEM file of an Ed25519 private key without a password.")],
    json: Json = False,
) -> None:
    """Load a bundle, run every check but the signature, and sign its manifest."""
    from app.adapters.models.aliases import bundle_path
    from app.adapters.models.bundles import sign as sign_bundle
    from app.adapters.models.checks.limits import Limits
    from app.adapters.models.signatures import FILE_NAME
    from app.settings import Settings

    settings = Settings.from_env().model
    path = bundle_path(Path(settings.dir), model)
    digest = sign_bundle(path, key, Limits.by(settings)).digest
    if json:
        printing.json_text(
            json_format.dumps({"model": model, "digest": digest, "signature": str(path / FILE_NAME)})
        )
        return
    printing.line(f"{model} is signed, digest {digest}")


def load_champion(settings: "Settings", model: str, *, compare_again: bool = False) -> "Bundle":
    """Load ``model``, or the champion of the settings, and print its warnings on standard error."""
    from app.adapters.models.bundles import champion
    from app.adapters.models.loading import Loading

    chosen = model or settings.model.champion
    loading = Loading.by(settings.model, settings.catalog.file)._replace(compare_again=compare_again)
    bundle = champion(Path(settings.model.dir), chosen, loading)
    for warning in [*bundle.warnings, *bundle.manifest.profile.warnings(settings.profile)]:
        printing.line(warning, colour=typer.colors.YELLOW, err=True)
    return bundle


for order in (
    compare.compare,
    gate.gate,
    champion.promote,
    champion.rollback,
    champion.release,
    champion.challenge,
    canary.canary,
    champion.status,
):
    commands.command()(order)
