"""The error that ends a command: one line that says what is wrong and what to do."""

import click

from command_line.printable import printable_lines

__all__ = ["CommandError"]


class CommandError(click.ClickException):
    """Wrong usage or environment, which the user can put right. It ends a command with exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        """Give the message, safe to print: it may quote the end of a server's log, with text of events."""
        return printable_lines(self.message)
