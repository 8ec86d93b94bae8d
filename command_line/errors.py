"""The error that ends a command: one line that says what is wrong and what to do."""

import click

from command_line.printable import printable_lines

__all__ = ["CommandError"]


class CommandError(click.ClickException):
    """Something the user can put right: wrong usage or environment. Ends a command with exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        """Give the message as it is printed; the end of a server's log in it may hold text of events."""
        return printable_lines(self.message)
