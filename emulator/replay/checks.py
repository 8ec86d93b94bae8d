"""Checks that the posted events arrived: a row for each event, an object for each key in a response."""

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
BATCH = 5_000  # event ids in one query


def wait_for_rows(report: ReplayReport, warehouse: Warehouse, timeout: float, stop: threading.Event, bar: Bar) -> None:
    """Look for the missing rows until all are there, no new one came for `timeout` seconds, or `stop` is set."""
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
    """Count the objects in storage whose keys the responses named."""
    hours = {key.rpartition("/")[0] for key in report.missing_keys}
    try:
        report.count_stored(chain.from_iterable(storage.keys(f"{hour}/") for hour in sorted(hours)))
    except CommandError as error:
        report.problems.append(f"the objects could not be checked: {error.message}")


def _look(report: ReplayReport, warehouse: Warehouse) -> list[str]:
    """Count the rows that arrived since the last look; return the problem if the warehouse does not answer."""
    ids = list(report.missing_rows)
    try:
        for start in range(0, len(ids), BATCH):
            report.count_arrived(warehouse.known(ids[start : start + BATCH]))
    except CommandError as error:
        return [error.message]
    return []
