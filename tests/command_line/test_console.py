from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from analysis.commands.main import main
from analysis.repair.backfill.run import backfill
from command_line.console import text_line, text_table
from tests.support.raw_objects import Objects
from tests.support.terminal_escapes import STEERING, steers

pytestmark = pytest.mark.slow

SPAN = ("--start", "2026-11-25T09:00", "--end", "2026-11-25T12:00")
HOURS = ["events/2026/11/25/09/"]


def printed(*things: object) -> str:
    """Print on a terminal that knows colours, for that is where it would do harm; without the colours."""
    console = Console(force_terminal=True, color_system=None, width=100)
    with console.capture() as capture:
        console.print(*things)
    return capture.get()


class TestTable:
    def test_neither_markup_nor_escapes_come_through(self) -> None:
        """In a cell, a column's name, or a line."""
        shown = printed(text_table([STEERING, "[red]b"], [("[bold]c", STEERING)]), text_line(f"[link]{STEERING}"))
        assert not steers(shown)
        assert all(text in shown for text in ("[red]b", "[bold]c", "[link]", "\\x1b[2J"))


@pytest.mark.usefixtures("no_environment")
class TestCommands:
    @pytest.fixture
    def where(self, tmp_path: Path, warehouse_url: str) -> tuple[str, ...]:
        """Give a bucket whose ids, names and rejects hold what steers a terminal, and the warehouse that it fills."""
        objects = Objects()
        ids: dict[str, Any] = dict.fromkeys(("clientId", "sessionId", "tabId", "userId"), STEERING)
        objects.add(eventId="ours", eventName=STEERING, seq=1, **ids)
        objects.add(eventId=STEERING, eventName=STEERING, seq=5, **ids)
        objects.add(eventId=STEERING, eventName="another", seq=5, **ids)
        objects.bodies[f"{HOURS[0]}{STEERING}.json"] = STEERING.encode()
        bucket = objects.write(tmp_path / "shop-raw")
        backfill(bucket, warehouse_url, HOURS)
        return "--source", str(bucket), "--dw", warehouse_url

    @pytest.mark.parametrize(
        "command",
        [
            ("trace", "ours", *SPAN),
            ("validate", *SPAN),
            ("ledger", "--by-client", *SPAN),
            ("rejects", "list"),
            ("rejects", "list", "--json"),
            ("rejects", "show", f"{HOURS[0]}{STEERING}.json"),
            ("erase", "--client-id", STEERING, "--dry-run"),
        ],
        ids=" ".join,
    )
    def test_no_event_steers_the_terminal_of_who_reads(
        self, command: tuple[str, ...], where: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever is shown of it, is shown as escapes."""
        monkeypatch.setenv("COLUMNS", "200")
        place = where[:2] if {"ledger", "show"} & {*command} else where
        done = CliRunner().invoke(main, [*command, *place])
        assert done.exit_code in (0, 1), done.output
        assert not steers(done.output)
        assert ("\\u001b[2J" if "--json" in command else "\\x1b[2J") in done.output
