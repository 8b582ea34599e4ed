"""Types and bounds of the settings in the chart's values.schema.json.

They are generated from ``app.settings``: ``python -m tests.support.chart.settings_schema`` writes ``definitions.settings``
and leaves the rest of the file, which is written by hand, as it is.
"""

import json
from typing import Any

import msgspec
from msgspec.structs import fields

from app.settings import Settings
from app.settings.environment import groups_of
from app.settings.kinds import variable
from tests.support.chart.tools import CHART

SCHEMA = CHART / "values.schema.json"
SET_BY_THE_CHART = frozenset(
    {
        "FRAUDSTREAM_WORKER_ROLE",
        "FRAUDSTREAM_WORKER_INSTANCE_ID",
        "FRAUDSTREAM_WORKER_DATA_DIR",
        "FRAUDSTREAM_WORKER_METRICS_HOST",
        "FRAUDSTREAM_MODEL_DIR",
    }
)
"""The chart derives them from the role, the pod and the source of the models, so values may not give them."""


def settings_schema() -> dict[str, Any]:
    """The schema of a map of settings, by their names in the environment."""
    found = {
        variable(name, field.name): msgspec.json.schema(field.type)
        for name, group in groups_of(Settings)
        for field in fields(group)
    }
    given = {name: kind for name, kind in sorted(found.items()) if name not in SET_BY_THE_CHART}
    return {"type": "object", "additionalProperties": False, "properties": given}


def regenerated() -> str:
    """The committed schema with the settings of the code."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["definitions"]["settings"] = settings_schema()
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(regenerated(), encoding="utf-8")
