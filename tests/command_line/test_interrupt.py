"""A request to finish early."""

import os
import signal

import pytest

from command_line.interrupt import stopped_by_ctrl_c


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
class TestStoppedByCtrlC:
    def test_the_first_signal_asks_and_the_second_interrupts(self, number: signal.Signals) -> None:
        """A command that is ended by SIGTERM leaves nothing behind either, such as servers and mounted disks."""
        with pytest.raises(KeyboardInterrupt), stopped_by_ctrl_c() as stop:  # noqa: PT012  # two signals, one block
            os.kill(os.getpid(), number)
            assert stop.is_set()
            os.kill(os.getpid(), number)

    def test_afterwards_signals_do_what_they_did_before(self, number: signal.Signals) -> None:
        """Also after an error."""
        before = signal.getsignal(number)
        with pytest.raises(ValueError, match="x"), stopped_by_ctrl_c():
            raise ValueError("x")
        assert signal.getsignal(number) == before
