"""Errors of the local stack: each is one line that says what is wrong and what to do."""

import click

__all__ = ["EmulatorError"]


class EmulatorError(click.ClickException):
    """Something the user can put right: wrong usage or environment. Ends a command with exit code 2."""

    exit_code = 2
