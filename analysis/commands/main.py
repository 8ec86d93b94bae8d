"""The command line of the analysis: `python -m analysis`."""

import warnings

import click

from analysis.commands.backfill import backfill_command
from analysis.commands.compact import compact_command
from analysis.commands.erase import erase_command
from analysis.commands.ledger import ledger_command
from analysis.commands.redrive import redrive_command
from analysis.commands.rejects import rejects_command
from analysis.commands.report import report_command
from analysis.commands.retain import retain_command
from analysis.commands.smoke import smoke_command
from analysis.commands.trace import trace_command
from analysis.commands.upgrade import upgrade_command
from analysis.commands.validate import validate_command
from analysis.errors import AnalysisError
from command_line.errors import CommandError
from command_line.printable import printable
from command_line.text import require_utf8

__all__ = ["main"]

COMMANDS = (
    validate_command,
    report_command,
    smoke_command,
    backfill_command,
    rejects_command,
    redrive_command,
    trace_command,
    ledger_command,
    erase_command,
    compact_command,
    retain_command,
    upgrade_command,
)


class _Group(click.Group):
    """Ends with one line and exit code 2 if a command raises AnalysisError."""

    def invoke(self, context: click.Context) -> object:
        with warnings.catch_warnings():
            warnings.showwarning = _show
            try:
                return super().invoke(context)
            except AnalysisError as error:
                raise CommandError(str(error)) from error


def _show(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as one line, on standard error."""
    click.echo(printable(f"Warning: {message}"), err=True)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Check, report and repair the collected events, in raw storage and in the warehouse.

    Exit codes: 0 fine, 1 a finding or a loss, 2 wrong usage or environment.
    """


for command in COMMANDS:
    main.add_command(command)
require_utf8(main)
