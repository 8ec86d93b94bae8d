"""The faults that a soak injects, each for some seconds; afterwards the stack has to recover by itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from emulator.soak.clock import library
from emulator.soak.faults import analysis, clocks, disks, neighbours, readers, servers, warehouse
from emulator.soak.subject import Subject

__all__ = ["FAULTS", "OF_WAREHOUSE", "Fault", "missing"]

# Injects a fault into the stack for a number of seconds.
Fault: TypeAlias = Callable[[Subject, float], None]

# They need a library that is loaded before every program of the stack.
_OF_STACK_CLOCK = frozenset({clocks.STACK_AHEAD, clocks.STACK_BACK})
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
    warehouse.REFUSED: warehouse.refuse_rows,
    "S3 disk full": partial(disks.fill, "s3"),
    "PostgreSQL disk full": disks.fill_data,
    "WAL disk full": disks.fill_wal,
    clocks.STACK_AHEAD: partial(clocks.jump_in_stack, clocks.AHEAD),
    clocks.STACK_BACK: partial(clocks.jump_in_stack, clocks.BACK),
    "browsers' clocks jump": clocks.jump_in_browsers,
    "slow readers": readers.read_slowly,
    "second stack on the ports": neighbours.start_on_same_ports,
    "second stack on the home": neighbours.start_on_same_home,
    "backfill runs": analysis.backfill,
    "validate runs": analysis.validate,
    "erase runs": analysis.erase,
}

# Of these, the warehouse itself is the fault: events may wait for it as long as it lasts.
OF_WAREHOUSE = frozenset(
    {
        "PostgreSQL killed",
        "everything killed",
        "PostgreSQL terminated",
        "postmaster terminated",
        "supervisor terminated",
        "PostgreSQL frozen",
        "postmaster frozen",
        "PostgreSQL refuses",
        "PostgreSQL slow",
        "connections cut",
        "PostgreSQL disk full",
        "WAL disk full",
    }
)


def missing(kind: str, *, has_disks: bool) -> str | None:
    """Return why this machine cannot have a kind of fault, as a sentence without its full stop; None if it can."""
    if kind in disks.DISK_FULL and not has_disks:
        return "Only root, on Linux and outside of most containers, can mount the small disks that they fill"
    if kind in _OF_STACK_CLOCK and library() is None:
        return "They need libfaketime: install Debian's package faketime"
    return None
