"""2 asks for another setting, 70 for a restart."""

import pytest

from app.errors import BrokersUnreachable, ClockWrong, ConfigurationError, FraudstreamError, SendFailed
from app.streaming.faust_app import _exit_code


@pytest.mark.parametrize(
    ("error", "reached_brokers", "code"),
    [
        (ConfigurationError("a setting"), True, 2),
        (BrokersUnreachable("none answers"), False, 2),
        (BrokersUnreachable("none answers any more"), True, 70),
        (ClockWrong("an hour ahead"), True, 70),
        (SendFailed("no acknowledgement"), True, 70),
    ],
)
def test_a_start_that_a_restart_may_mend_ends_with_70(
    error: FraudstreamError, reached_brokers: bool, code: int
) -> None:
    assert _exit_code(error, reached_brokers=reached_brokers) == code
