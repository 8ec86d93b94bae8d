import io

import pytest
from rich.console import Console

from command_line import progress as module
from command_line.progress import progress


class Terminal(io.StringIO):
    """Standard error of somebody who watches."""

    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, patience: float) -> str:
    """What is shown of work that advances once."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", patience)
    monkeypatch.setattr("rich.console.Console", lambda **_: Console(file=stream, force_interactive=None))
    monkeypatch.setenv("TERM", "xterm")
    with progress("reading objects", 10) as advance:
        advance(4)
    return stream.getvalue()


class TestProgress:
    def test_it_shows_what_takes_longer_than_a_moment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With what is done, and how far."""
        output = shown(monkeypatch, Terminal(), -1)
        assert "reading objects" in output
        assert "40%" in output

    def test_it_stays_away_from_what_is_quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing flickers."""
        assert shown(monkeypatch, Terminal(), 60) == ""

    def test_it_stays_away_where_nobody_watches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A log is not a terminal."""
        assert shown(monkeypatch, io.StringIO(), -1) == ""
