"""A stored policy is loaded for a worker only as a whole: unaltered, sound, and with nothing that no worker does."""

from pathlib import Path

import pytest

from app.adapters.policies.stored import read, store
from app.errors import PolicyRejected
from app.settings import PolicySettings, Settings
from app.streaming.control.policy import WantedPolicy
from app.streaming.control.policy_choice import load_policy
from tests.integration.models.test_policy import policy


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for version in "12":
        store(tmp_path, "desk", version, policy(version))
    return Settings(policy=PolicySettings(dir=str(tmp_path)))


def test_a_sound_policy_is_loaded_with_its_digest(settings: Settings) -> None:
    reference = read(Path(settings.policy.dir), "desk/1").reference

    for digest in ("", reference.digest):
        loaded = load_policy(settings, WantedPolicy("desk/1", digest))
        assert loaded.reference == reference
        assert [rule.id for rule in loaded.program.rules] == ["large", "listed"]
        assert loaded.columns is not None


def test_a_policy_of_the_same_name_with_other_content_is_refused(settings: Settings) -> None:
    with pytest.raises(PolicyRejected, match="Copy the same files to every worker"):
        load_policy(settings, WantedPolicy("desk/1", "0" * 64))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is missing"),
        (policy("3").replace(b"amount > 500 EUR", b"amonut > 500 EUR"), "did you mean"),
        (
            policy("3") + b"\n[budget]\nalerts_per_day = 100\nreview_minimum = 0.1\nreview_maximum = 0.2\n",
            "budget",
        ),
    ],
)
def test_a_policy_that_is_not_sound_is_refused(settings: Settings, content: bytes, why: str) -> None:
    store(Path(settings.policy.dir), "desk", "3", content)

    with pytest.raises(PolicyRejected, match=why):
        load_policy(settings, WantedPolicy("desk/3"))
