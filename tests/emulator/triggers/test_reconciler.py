"""The reconciler as a part of the local stack, over a pretend S3 and a real warehouse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chalicelib.projection.reconciler.hours import prefix_of, start_of
from chalicelib.storage import s3_client
from command_line.home import BUCKET
from emulator.triggers import reconciler
from emulator.triggers.reconciler import Reconciler
from tests.support.stack_process import NO_STACK, wait_for

pytestmark = pytest.mark.slow


class TestReconciler:
    @pytest.fixture
    def outcomes(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
        """Give a list for what is told, while the reconciler waits for nothing."""
        monkeypatch.setattr(reconciler, "FIRST_SECONDS", 0.0)
        monkeypatch.setattr(reconciler, "EVERY_SECONDS", 0.2)
        monkeypatch.setattr(reconciler, "SETTLE", timedelta(-1))
        s3_client.cache_clear()
        return []

    def test_it_fills_the_table_and_tells_what_became_of_each_object(
        self, aws: Any, warehouse_url: str, outcomes: list[tuple[str, str]]
    ) -> None:
        """The page then shows a row, although no delivery has made it."""
        key = f"{prefix_of(start_of(datetime.now(UTC)))}event-1.json"
        aws.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        part = Reconciler(replace(NO_STACK, dw_url=warehouse_url), lambda *told: outcomes.append(told))
        assert part.said == "has not run yet"
        part.start()
        try:
            wait_for(lambda: part.said.startswith("the last 48 hours are complete at "))
        finally:
            part.stop()
        assert outcomes == [(key, "projected")]
        with psycopg.connect(warehouse_url) as connection:
            found = connection.execute("SELECT objects, rows, complete FROM clickstream_hours").fetchall()
        assert found == [(1, 1, True)]

    def test_it_goes_on_when_the_warehouse_is_away(self, aws: Any, outcomes: list[tuple[str, str]]) -> None:
        """The next run finds the same, and the part does not die of it."""
        aws.put_object(Bucket=BUCKET, Key=f"{prefix_of(start_of(datetime.now(UTC)))}event-1.json", Body=b"{}")
        part = Reconciler(NO_STACK, lambda *told: outcomes.append(told))
        part.start()
        try:
            part._stopping.wait(1)
            assert part.is_alive
            assert (part.said, outcomes) == ("has not run yet", [])
        finally:
            part.stop()
