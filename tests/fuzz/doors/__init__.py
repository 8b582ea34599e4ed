"""The doors by name."""

from tests.fuzz.doors.avro_writers import AVRO_WRITER_DOORS
from tests.fuzz.doors.batches import BATCH_DOORS
from tests.fuzz.doors.bundles import BUNDLE_DOORS
from tests.fuzz.doors.catalogs import CATALOG_DOORS
from tests.fuzz.doors.door import Door
from tests.fuzz.doors.expressions import EXPRESSION_DOORS
from tests.fuzz.doors.files import FILE_DOORS
from tests.fuzz.doors.own_topics import OWN_DOORS
from tests.fuzz.doors.worker import WORKER_DOORS

DOORS: dict[str, Door] = {
    door.name: door
    for doors in (
        *(WORKER_DOORS, AVRO_WRITER_DOORS, BATCH_DOORS, FILE_DOORS),
        *(OWN_DOORS, BUNDLE_DOORS, EXPRESSION_DOORS, CATALOG_DOORS),
    )
    for door in doors
}
