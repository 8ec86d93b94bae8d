"""Checks that what was posted arrived: a row for each event, an object for each answer."""

import threading
import time
from itertools import chain

from command_line.errors import CommandError
from emulator.replay.bar import Bar
from emulator.replay.report import ReplayReport
from emulator.replay.storage import Storage
from emulator.replay.warehouse import Warehouse

__all__ = ["check_objects", "wait_for_rows"]

POLL = 0.25  # seconds between two looks at the warehouse
BATCH = 5_000  # rows that are looked for at a time


def wait_for_rows(report: ReplayReport, warehouse: Warehouse, timeout: float, stop: threading.Event, bar: Bar) -> None:
    """Look for the missing rows until all are there, or none came for `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        missing = len(report.missing_rows)
        trouble = _look(report, warehouse)
        arrived = missing - len(report.missing_rows)
        bar.arrived(arrived, len(report.missing_rows))
        if arrived:
            deadline = time.monotonic() + timeout
        if not report.missing_rows or time.monotonic() >= deadline or stop.wait(POLL):
            report.problems.extend(trouble)
            return


def check_objects(report: ReplayReport, storage: Storage) -> None:
    """Count the objects that answers named and storage has."""
    hours = {key.rpartition("/")[0] for key in report.missing_keys}
    try:
        report.count_stored(chain.from_iterable(storage.keys(f"{hour}/") for hour in sorted(hours)))
    except CommandError as error:
        report.problems.append(f"objects not checked: {error.message}")


def _look(report: ReplayReport, warehouse: Warehouse) -> list[str]:
    """Count the rows that arrived since the last look; give what kept the warehouse from answering, if anything."""
    ids = list(report.missing_rows)
    try:
        for start in range(0, len(ids), BATCH):
            report.count_arrived(warehouse.known(ids[start : start + BATCH]))
    except CommandError as error:
        return [error.message]
    return []
