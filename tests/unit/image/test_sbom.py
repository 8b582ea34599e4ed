"""The list of an image's software."""

from email.message import Message
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from typing import Any

import pytest

from app.operations.sbom import debian_components, document, interpreter, python_components

TYPES = {"application", "library", "platform"}


class Installed(Distribution):
    """A package that is installed."""

    def __init__(self, **fields: str) -> None:
        self._fields = fields

    @property
    def metadata(self) -> Any:
        message = Message()
        for name, value in ({"Name": "x", "Version": "1"} | self._fields).items():
            message[name.replace("_", "-")] = value
        return message

    def read_text(self, filename: str) -> str | None:
        raise FileNotFoundError(filename)

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def test_the_document_of_this_installation_lists_every_package_once() -> None:
    found = document((*python_components(distributions()), interpreter()))

    references = [component["bom-ref"] for component in found["components"]]
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert len(references) == len(set(references)) > 20
    assert f"pkg:pypi/numpy@{version('numpy')}" in references
    assert f"pkg:pypi/faust-streaming@{version('faust-streaming')}" in references
    assert found["metadata"]["component"]["name"] == "fraudstream"
    assert found["metadata"]["component"]["bom-ref"] not in references
    for component in found["components"]:
        assert component["type"] in TYPES
        assert component["purl"] == component["bom-ref"]
        assert component["name"]
        assert component["version"]


def test_the_same_software_has_the_same_document_in_any_order() -> None:
    components = [*python_components(distributions()), interpreter()]

    assert document(components) == document(reversed(components))
    assert document(components)["serialNumber"] != document(components[:-1])["serialNumber"]


def test_packages_of_debian_have_their_architecture_and_an_encoded_version() -> None:
    [found] = debian_components("libstdc++6\t12.2.0-14+deb12u1\tamd64\n", "debian")

    assert found["purl"] == "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64"
    assert (found["name"], found["version"]) == ("libstdc++6", "12.2.0-14+deb12u1")


def test_a_name_is_written_as_an_index_writes_it() -> None:
    [found] = python_components([Installed(Name="Faust_Streaming.X")])

    assert found["purl"] == "pkg:pypi/faust-streaming-x@1"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"License_Expression": "MIT OR Apache-2.0", "License": "MIT"},
            [{"expression": "MIT OR Apache-2.0"}],
        ),
        ({"License": "BSD"}, [{"license": {"name": "BSD"}}]),
        ({"License": "Copyright\nall the text"}, None),
        ({"License": "x" * 81}, None),
        ({}, None),
    ],
)
def test_a_license_is_an_expression_or_a_short_name(
    fields: dict[str, str], expected: list[dict[str, Any]] | None
) -> None:
    [found] = python_components([Installed(**fields)])

    assert found.get("licenses") == expected
