"""Command-line options that several commands share."""

from pathlib import Path

import click

from command_line.home import Home
from command_line.printable import printable

__all__ = ["home_option"]


def _home(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> Home:
    home = Home.default() if path is None else Home(path)
    try:
        str(home.path).encode()
    except UnicodeEncodeError:
        # URLs and environment variables name the home.
        raise click.BadParameter(f"the name of {printable(str(home.path))} is not UTF-8: name another") from None
    return home


home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_home,
    help="Directory of the stack's state.  [default: CLICKSTREAM_HOME, else .clickstream/ in the repository]",
)
