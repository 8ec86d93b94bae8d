"""Runs the reconciler, the same code that is deployed, every five minutes, so that `clickstream_hours` is filled.

It does not replace the sweep: that finds an object within seconds, and offers it to the deliveries, whose faults the
page switches on. The reconciler leaves an object to them for ten minutes, as it does on AWS.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from chalicelib.errors import ClickstreamError
from chalicelib.projection.reconciler.reading import Place
from chalicelib.projection.reconciler.run import Reconciled, reconcile
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from command_line.home import Stack
from emulator.servers.part import Follower

__all__ = ["Reconciler"]

FIRST_SECONDS = 60.0
EVERY_SECONDS = 300.0
STOP_SECONDS = 3
SETTLE = timedelta(minutes=10)


class Reconciler(Follower):
    """Reconciles one stack again and again; a part.

    Args:
        stack: The stack.
        on_outcome: Is told key and outcome of each object that was projected, rejected or refused.
    """

    name = "reconciler"

    def __init__(self, stack: Stack, on_outcome: Callable[[str, str], None]) -> None:
        super().__init__()
        self._stack = stack
        self._on_outcome = on_outcome
        self.said = "has not run yet"

    def stop(self) -> None:
        """End the run under way, and stop; the next start goes on."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _follow(self) -> None:
        wait = FIRST_SECONDS
        while not self._stopping.wait(wait):
            wait = EVERY_SECONDS
            with suppress(ClickstreamError):  # the log has it, and the next run finds the same
                self.said = _said(self._run())

    def _run(self) -> Reconciled:
        warehouse = Warehouse(self._stack.dw_url, SCHEMA.with_decimals(self._stack.price_decimals))
        try:
            return reconcile(
                Place(
                    self._stack.bucket,
                    RawStorage(),
                    warehouse,
                    self._stack.price_decimals,
                    SETTLE,
                    has_time=lambda: not self._stopping.is_set(),
                    on_outcome=self._on_outcome,
                ),
                "clickstream/local",
            )
        finally:
            warehouse.close()


def _said(done: Reconciled) -> str:
    at = f"at {datetime.now(UTC):%H:%M} UTC"
    if done.not_complete:
        return f"{done.not_complete} of the last 48 hours not complete {at}"
    return f"the last 48 hours are complete {at}"
