"""`python -m emulator reset`: delete all events, the lake, the embedded warehouse and the logs of a stopped stack."""

import os
import shutil

import click

from command_line.errors import CommandError
from command_line.home import MARKER, Home
from emulator.commands.options import home_option
from emulator.servers.postgres.server import Postgres
from emulator.stack.run import stop_orphans

__all__ = ["reset_command"]


@click.command("reset")
@home_option
@click.option("--yes", is_flag=True, help="Delete without asking for confirmation.")
def reset_command(home: Home, *, yes: bool) -> None:
    """Delete every stored event, the lake, the embedded warehouse and the logs.

    Stop the stack first. A warehouse given by --dw is not changed.
    """
    if not os.path.isfile(home.path / MARKER):  # noqa: PTH113  # of a home that is denied, Path.is_file raises
        raise CommandError(
            f"{home.path} is not the home of a stack, so nothing was deleted: name the right directory with --home"
        )
    home.require_own()
    with home.held():
        if not yes:
            click.confirm(f"Delete every stored event, the lake and the embedded warehouse in {home.path}?", abort=True)
        stop_orphans(home)
        Postgres(home).remove()
        try:
            for folder in (home.s3, home.lake, home.logs, home.path / "run"):
                if folder.exists():
                    shutil.rmtree(folder)
            (home.path / "stack.json").unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"cannot delete {error.filename}: {error.strerror}") from error
    click.echo(f"{home.path} is empty.")
