"""The committed picture of the architecture is the generated one, and its parts exist."""

import re
from typing import get_args
from xml.etree import ElementTree as ET

from app.settings import WorkerRole
from bench.pages.architecture import BOXES, IMAGE, WORKER, svg


def test_the_picture_is_up_to_date() -> None:
    """Otherwise: `python -m bench.pages.architecture`."""
    assert IMAGE.read_text(encoding="utf-8") == svg()


def test_the_picture_is_well_formed_and_fetches_nothing() -> None:
    text = svg()

    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314  # the project's own text
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_every_role_of_a_worker_is_shown() -> None:
    shown = {box.title.removesuffix(" workers") for box in BOXES if box.kind is WORKER}

    assert shown == set(get_args(WorkerRole))


def test_no_picture_of_the_documents_fetches_anything() -> None:
    for image in IMAGE.parent.glob("*.svg"):
        assert not re.search(r"(?:url\(|href=.)https?:", image.read_text(encoding="utf-8")), image.name
