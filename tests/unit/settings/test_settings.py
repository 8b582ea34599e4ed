"""Settings from the environment: what is wrong is named, with the remedy."""

import msgspec
import pytest

from app.errors import ConfigurationError
from app.features.window import MOST_EVENTS
from app.settings import Settings, Stream, TopicSettings, setting_names, values


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings() == Settings.from_env({})


def test_other_programs_variables_are_none_of_ours() -> None:
    assert Settings() == Settings.from_env({"PATH": "/bin", "KAFKA_TOPICS": "x"})


def test_a_value_is_read_as_its_setting_wants_it() -> None:
    settings = Settings.from_env(
        {
            "FRAUDSTREAM_TOPICS_PARTITIONS": "24",
            "FRAUDSTREAM_KAFKA_COMMIT_INTERVAL_SECONDS": "0.5",
            "FRAUDSTREAM_WORKER_LOG_FORMAT": "json",
        }
    )

    assert (24, 0.5, "json") == (
        settings.topics.partitions,
        settings.kafka.commit_interval_seconds,
        settings.worker.log_format,
    )


def test_the_largest_number_of_events_is_the_one_whose_sums_stay_exact() -> None:
    name = "FRAUDSTREAM_PROFILE_MAX_EVENTS"

    assert MOST_EVENTS == Settings.from_env({name: str(MOST_EVENTS)}).profile.max_events
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_env({name: str(MOST_EVENTS + 1)})


@pytest.mark.parametrize("name", [name for name, _ in setting_names()])
def test_every_setting_can_be_set_to_its_default(name: str) -> None:
    defaults = values(Settings())

    assert Settings() == Settings.from_env({name: str(defaults[name])})


def test_a_misspelt_name_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean FRAUDSTREAM_TOPICS_PARTITIONS"):
        Settings.from_env({"FRAUDSTREAM_TOPICS_PARTITION": "8"})


def test_a_name_like_no_other_is_refused_with_where_to_look() -> None:
    with pytest.raises(
        ConfigurationError, match=r"is not a setting\. `fraudstream settings` lists the known ones"
    ):
        Settings.from_env({f"FRAUDSTREAM_{'X' * 40}": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRAUDSTREAM_TOPICS_PARTITIONS", "0"),
        ("FRAUDSTREAM_TOPICS_PARTITIONS", "eight"),
        ("FRAUDSTREAM_TOPICS_PARTITIONS", ""),
        ("FRAUDSTREAM_KAFKA_COMMIT_INTERVAL_SECONDS", "-1"),
        ("FRAUDSTREAM_KAFKA_COMPRESSION", "lz4"),
        ("FRAUDSTREAM_WORKER_METRICS_PORT", "70000"),
        ("FRAUDSTREAM_PROFILE_MAX_EVENTS", "1.5"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_to_do(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="Correct it or unset it") as caught:
        Settings.from_env({name: value})
    assert f"{name}={value}: must be " in str(caught.value)


def test_a_worker_that_lost_its_partitions_must_not_keep_writing() -> None:
    with pytest.raises(ConfigurationError, match="PRODUCE_TIMEOUT_SECONDS must be below"):
        Settings.from_env({"FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS": "10"})


def test_a_request_may_last_as_long_as_a_session() -> None:
    with pytest.raises(ConfigurationError, match="REQUEST_TIMEOUT_SECONDS must be at least"):
        Settings.from_env({"FRAUDSTREAM_KAFKA_REQUEST_TIMEOUT_SECONDS": "9"})


def test_settings_in_force_are_listed_by_their_environment_names() -> None:
    settings = msgspec.structs.replace(
        Settings(), worker=msgspec.structs.replace(Settings().worker, app_id="x")
    )

    assert values(settings)["FRAUDSTREAM_WORKER_APP_ID"] == "x"
    assert [name for name, _ in setting_names()] == list(values(settings))


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    sections = [settings, *(getattr(settings, name) for name in settings.__struct_fields__)]

    assert all(section.__struct_config__.frozen for section in sections)


def test_a_worker_whose_record_is_still_being_sent_does_not_stand_still() -> None:
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_WORKER_STALL_SECONDS must be above"):
        Settings.from_env({"FRAUDSTREAM_WORKER_STALL_SECONDS": "8"})


def test_every_stream_has_a_setting_that_names_its_topic() -> None:
    named = {
        field
        for field in TopicSettings.__struct_fields__
        if field not in {"partitions", "replication_factor"}
    }

    assert named == {stream.value for stream in Stream} == {stream.name.lower() for stream in Stream}


def test_a_prefix_comes_before_every_topic_name_and_changes_no_size() -> None:
    topics = TopicSettings(partitions=3, alerts="warnings").with_prefix("run-1")

    assert topics.alerts == "run-1.warnings"
    assert all(name.startswith("run-1.") for name in topics.names().values())
    assert topics.partitions == 3
