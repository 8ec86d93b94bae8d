"""The check of the warehouse always comes to an end."""

import time
from signal import SIGCONT, SIGSTOP, SIGTERM, Signals
from typing import Any

import psutil
import psycopg
import pytest

from emulator.servers.processes import wait_until
from emulator.servers.warehouse import ExternalWarehouse

pytestmark = pytest.mark.slow


class TestCheck:
    @pytest.fixture
    def backends(self) -> list[psutil.Process]:
        """Collect the processes of PostgreSQL that serve a connection."""
        return []

    @staticmethod
    def _signal_each(
        monkeypatch: pytest.MonkeyPatch, backends: list[psutil.Process], number: Signals, status: str
    ) -> None:
        """Send each process a signal as soon as it has taken its connection."""
        connect = psycopg.connect

        def connect_and_signal(*arguments: str, **options: Any) -> psycopg.Connection:
            connection = connect(*arguments, **options)
            backends.append(psutil.Process(connection.info.backend_pid))
            backends[-1].send_signal(number)
            assert wait_until(lambda: not backends[-1].is_running() or backends[-1].status() == status, 5)
            return connection

        monkeypatch.setattr("psycopg.connect", connect_and_signal)

    def test_a_server_that_answers_is_well(self, warehouse_url: str) -> None:
        """It runs a query."""
        assert ExternalWarehouse(warehouse_url).check() is None

    def test_one_that_freezes_after_it_has_taken_the_connection_does_not_answer(
        self, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, backends: list[psutil.Process]
    ) -> None:
        """A check that waited for ever would keep the supervisor from restarting it."""
        self._signal_each(monkeypatch, backends, SIGSTOP, psutil.STATUS_STOPPED)
        began = time.monotonic()
        try:
            assert ExternalWarehouse(warehouse_url).check() == "no response within 5 s"
            assert time.monotonic() - began < 20
        finally:
            for backend in backends:
                backend.send_signal(SIGCONT)
        assert len(backends) == 1

    def test_one_that_ends_the_connection_says_why(
        self, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, backends: list[psutil.Process]
    ) -> None:
        """As while it shuts down."""
        self._signal_each(monkeypatch, backends, SIGTERM, psutil.STATUS_ZOMBIE)
        problem = ExternalWarehouse(warehouse_url).check()
        assert problem is not None
        assert "terminating connection due to administrator command" in problem
