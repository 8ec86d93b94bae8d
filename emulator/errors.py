"""Errors of the local stack: each is one line that says what is wrong and what to do."""

import click

from emulator.printable import printable_lines

__all__ = ["EmulatorError"]


class EmulatorError(click.ClickException):
    """Something the user can put right: wrong usage or environment. Ends a command with exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        """What is printed: the last lines of a server's log, if they are in it, may hold text of events."""
        return printable_lines(self.message)
