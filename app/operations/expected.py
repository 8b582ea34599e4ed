"""What an installation should have on its cluster."""

from app.adapters.kafka.protocol.hidden import Expected
from app.settings import Settings
from app.topics.topic_specs import topic_table


def expected_of(settings: Settings) -> Expected:
    """Its topics and groups. The topics of the bank's tables may be absent; a right to them is expected all the same."""
    tables = settings.cdc.customers_topic, settings.cdc.terminals_topic
    return Expected((*(spec.name for spec in topic_table(settings)), *tables), settings.groups())
