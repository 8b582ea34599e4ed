"""``python -m app.operations.sbom > FILE``: the software in this installation as CycloneDX 1.6, for scanners of an image.

It lists the Python packages of this interpreter, the interpreter, and the packages of a Debian system. The document is the
same for the same software: it has no time, and its serial number is computed from its content.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions, version
from re import sub
from shutil import which
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

Component = dict[str, Any]
NAME = "fraudstream"
PURL_SAFE = ".-_~"
LONGEST_LICENSE = 80
"""Some packages have the whole text of their license in the field for its name."""


def document(components: Iterable[Component]) -> dict[str, Any]:
    """Return the CycloneDX document of an installation of fraudstream with these components."""
    found = {component["bom-ref"]: component for component in components}
    main = found.pop(f"pkg:pypi/{NAME}@{version(NAME)}") | {"type": "application"}
    content = {
        "metadata": {"component": main, "tools": {"components": [{"type": "application", "name": NAME}]}},
        "components": [found[reference] for reference in sorted(found)],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    } | content


def python_components(installed: Iterable[Distribution]) -> Iterator[Component]:
    """Yield the packages of an interpreter."""
    for each in installed:
        name = sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
        yield _component(f"pkg:pypi/{name}", name, each.version) | _license(each)


def interpreter() -> Component:
    """Return this Python."""
    name = platform.python_implementation().lower()
    return _component(f"pkg:generic/{name}", name, platform.python_version()) | {"type": "platform"}


def debian_components(listing: str, distribution: str) -> Iterator[Component]:
    """Yield the packages in the output of dpkg-query: name, version and architecture, separated by tabs."""
    for line in listing.splitlines():
        name, package_version, architecture = line.split("\t")
        reference = f"pkg:deb/{distribution}/{quote(name, safe=PURL_SAFE)}"
        yield _component(reference, name, package_version, f"?arch={architecture}")


def _component(reference: str, name: str, its_version: str, qualifiers: str = "") -> Component:
    purl = f"{reference}@{quote(its_version, safe=PURL_SAFE)}{qualifiers}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": its_version, "purl": purl}


def _license(installed: Distribution) -> Component:
    if expression := _field(installed, "License-Expression"):
        return {"licenses": [{"expression": expression}]}
    name = _field(installed, "License")
    short = name and "\n" not in name and len(name) <= LONGEST_LICENSE
    return {"licenses": [{"license": {"name": name}}]} if short else {}


def _field(installed: Distribution, name: str) -> str:
    return next(iter(installed.metadata.get_all(name) or ()), "").strip()


def _debian() -> Iterator[Component]:
    query = which("dpkg-query")
    if query is None:
        return
    form = "${Package}\t${Version}\t${Architecture}\n"
    listing = subprocess.run([query, "-W", "-f", form], check=True, capture_output=True, text=True).stdout  # noqa: S603  # our own words
    yield from debian_components(listing, platform.freedesktop_os_release().get("ID", "debian"))


def main() -> None:
    """Print the document of this installation."""
    components = (*python_components(distributions()), interpreter(), *_debian())
    json.dump(document(components), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
