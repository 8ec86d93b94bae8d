"""The faults that a soak injects, each for some seconds; afterwards the stack has to recover by itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from emulator.soak.faults import disks, servers, warehouse
from emulator.soak.subject import Subject

__all__ = ["FAULTS", "Fault"]

# Injects a fault into the stack for a number of seconds.
Fault: TypeAlias = Callable[[Subject, float], None]

FAULTS: Mapping[str, Fault] = {
    "ingest killed": partial(servers.kill, "ingest"),
    "S3 killed": partial(servers.kill, "s3"),
    "PostgreSQL killed": partial(servers.kill, "warehouse"),
    "projector killed": servers.kill_projector,
    "everything killed": servers.kill_everything,
    "ingest terminated": partial(servers.terminate, "ingest"),
    "S3 terminated": partial(servers.terminate, "s3"),
    "PostgreSQL terminated": partial(servers.terminate, "warehouse"),
    "postmaster terminated": partial(servers.terminate, "warehouse", most=1),
    "supervisor terminated": servers.terminate_supervisor,
    "ingest frozen": partial(servers.freeze, "ingest"),
    "S3 frozen": partial(servers.freeze, "s3"),
    "PostgreSQL frozen": partial(servers.freeze, "warehouse"),
    "postmaster frozen": partial(servers.freeze, "warehouse", most=1),
    "S3 refuses": partial(servers.switch, "storageDown"),
    "PostgreSQL refuses": partial(servers.switch, "warehouseDown"),
    "ingest slow": partial(servers.slow, "ingest"),
    "S3 slow": partial(servers.slow, "s3"),
    "PostgreSQL slow": partial(servers.slow, "warehouse"),
    "supervisor slow": servers.slow_supervisor,
    "triggers twice": partial(servers.switch, "triggersTwice"),
    "triggers out of order": partial(servers.switch, "triggersOutOfOrder"),
    "triggers late": partial(servers.switch, "triggersLate"),
    "triggers dropped": partial(servers.switch, "triggersOff"),
    "connections cut": warehouse.cut_connections,
    "rows refused": warehouse.refuse_rows,
    "S3 disk full": partial(disks.fill, "s3"),
    "PostgreSQL disk full": disks.fill_data,
    "WAL disk full": disks.fill_wal,
}
