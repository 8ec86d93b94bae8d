"""`python -m infra.restore`: the steps of a restoration, each of which can be run again."""

import click

from infra.restore.steps import Restore

__all__ = ["main"]

STEPS = ("snapshot", "build", "validate", "swap", "back", "remove")
DRILL = STEPS[:3]  # which change nothing of the live warehouse


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stage")
@click.argument("steps", nargs=-1, type=click.Choice(STEPS), metavar="[STEP]...")
@click.option("--snapshot", default="", metavar="NAME", help="Restore this snapshot, in place of a new one.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Print each call that would be made, and make none.")
def main(stage: str, steps: tuple[str, ...], snapshot: str, *, is_dry_run: bool) -> None:
    """Restore the warehouse of STAGE from a snapshot, beside the live one. Without a STEP: snapshot, build, validate.

    \b
      snapshot  takes a snapshot of the live warehouse, unless --snapshot names another
      build     restores it as the cluster clickstream-STAGE-restore, in the same network, with the same users
      validate  compares the restored rows with raw, for the week before the snapshot
      swap      gives the restored warehouse the name of the live one: from then on the stage uses it
      back      undoes the swap
      remove    deletes the one that the stage does not use, and the snapshot that `snapshot` took

    Each step does what is still to do, so run it again after a failure. A step that fails ends the command. `make
    restore` passes on STEP, SNAPSHOT and DRY_RUN:

    \b
      make restore STAGE=prod DRY_RUN=1
      make restore STAGE=prod
      make restore STAGE=prod STEP=swap
      make restore STAGE=prod STEP=remove

    Exit codes: 0 done, 1 validate found something, 2 a step failed, or wrong usage.
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    restore = Restore(stage, snapshot, is_dry_run=is_dry_run)
    for step in steps or DRILL:
        click.echo(f"\n== {step}")
        getattr(restore, step)()
