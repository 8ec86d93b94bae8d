"""The command line of the local stack: `python -m emulator`."""

import click

from command_line.text import require_utf8
from emulator.commands.env import env_command
from emulator.commands.replay import replay_command
from emulator.commands.reset import reset_command
from emulator.commands.sample import sample_command
from emulator.commands.seed import seed_command
from emulator.commands.shoppers import shoppers_command
from emulator.commands.soak import soak_command
from emulator.commands.up import up_command

__all__ = ["main"]

COMMANDS = (
    up_command,
    env_command,
    reset_command,
    sample_command,
    replay_command,
    seed_command,
    shoppers_command,
    soak_command,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the whole clickstream pipeline on this computer.

    A browser event goes through the same code as on AWS: POST /clickstream, one object in S3, one row in PostgreSQL.
    Everything listens on 127.0.0.1 only. Start with:

        python -m emulator up

    Exit codes: 0 fine, 1 a finding or a loss, 2 wrong usage or environment.
    """


for command in COMMANDS:
    main.add_command(command)
require_utf8(main)
