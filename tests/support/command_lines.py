"""All command lines of the repository, and each of their commands."""

from collections.abc import Iterator

import click

from analysis.commands.main import main as analysis
from benchmarks.__main__ import main as benchmarks
from emulator.commands.main import main as emulator
from infra.costs.command import main as costs

__all__ = ["ALL", "commands"]

ALL: tuple[click.Command, ...] = (analysis, emulator, costs, benchmarks)


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give each command below a command line, with the words that lead to it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, child in command.commands.items():
        yield from commands(child, *path, name)
