"""Objects that several tests of the chart look at."""

import pytest

from tests.support.chart.objects import Object, committed, dev
from tests.support.chart.tools import needs


@pytest.fixture(scope="module", params=["production", pytest.param("dev", marks=needs("helm"))])
def objects(request: pytest.FixtureRequest) -> list[Object]:
    """The committed manifests, checked on every machine; and what the chart renders for development, where helm is."""
    return committed() if request.param == "production" else dev()
