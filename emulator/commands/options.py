"""Command-line options that several commands share."""

from pathlib import Path

import click

from command_line.home import Home

__all__ = ["home_option"]


def _home(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> Home:
    return Home.default() if path is None else Home(path)


home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_home,
    help="Directory of the stack's state.  [default: CLICKSTREAM_HOME, else .clickstream/ in the repository]",
)
