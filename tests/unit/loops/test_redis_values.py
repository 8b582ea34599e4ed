"""A risk worker: one value in Redis that is no activity blanks its own entity, is counted, and is logged once."""

import numpy as np
import pytest

from app.adapters.observability.prometheus import PrometheusMetrics
from app.features.delayed_features import touched
from app.settings import Settings
from app.streaming.entity_store.entity_view import EntityView
from tests.unit.features.test_delayed_features import activity, transaction


@pytest.mark.parametrize("value", [b"?", b"\xff" * 56, b"\1" + bytes(999)])
def test_a_value_that_is_none_blanks_its_own_entity_and_is_counted(
    value: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = PrometheusMetrics()
    view = EntityView(Settings(), metrics)
    about = touched([transaction(1), transaction(2, terminal="m2")])
    for _ in range(3):
        found = view.features(
            about, {"terminal:m1": value, "terminal:m2": activity(), "customer:c1": activity()}
        )

    assert found.absent.tolist() == [True, False]
    assert not np.isnan(found.features[1]).any()
    assert 'fraudstream_entity_states_total{result="invalid"} 3' in metrics.page("").body.decode()
    shown = capsys.readouterr().out + caplog.text  # where it goes depends on the tests before
    assert shown.count("redis_value_invalid") == 1
    assert "terminal:m1" not in shown
