"""What commands say beside their result, on standard error: standard output holds the result alone."""

from pathlib import Path

import click

from command_line.printable import printable

__all__ = ["note_sample"]


def note_sample(source: str | Path) -> None:
    """Say that the bucket includes a sample, if it does. Raises AnalysisError if the sample's marker is damaged."""
    from analysis.raw.sample import read_sample

    if sample := read_sample(source):
        click.echo(printable(f"{source} includes {sample}."), err=True)
