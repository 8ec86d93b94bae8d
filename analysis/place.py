"""Where events are: what was named, else what the environment says, else the local stack, running or not."""

import os
from pathlib import Path

from analysis.errors import AnalysisError
from command_line.errors import CommandError
from command_line.home import BUCKET, Home

__all__ = ["needed_warehouse_of", "source_of", "warehouse_of"]


def source_of(named: str | None, *, make: bool = False) -> str | Path:
    """The raw bucket: `named`, else `RAW_BUCKET_NAME` in S3, else the directory of the local stack.

    Raises AnalysisError if there is none of them, unless the last is to be made where it is missing.
    """
    if named:
        return named
    if bucket := os.environ.get("RAW_BUCKET_NAME"):
        return f"s3://{bucket}"
    home = Home.default()
    if make:
        _create(home)
    directory = home.s3 / BUCKET
    if not directory.is_dir():
        raise AnalysisError("no events here: name --source DIR or s3://BUCKET, or start a local stack with 'make run'")
    return directory


def warehouse_of(named: str | None, source: str | Path) -> str | None:
    """The warehouse's URL: `named`, else `DW_URL`, else the running local stack's if `source` is its bucket."""
    if named:
        return named
    if url := os.environ.get("DW_URL"):
        return url
    home = Home.default()
    if Path(source).absolute() != (home.s3 / BUCKET).absolute() or not home.is_held:
        return None
    try:
        return home.read_stack().dw_url
    except CommandError:
        return None


def needed_warehouse_of(named: str | None, source: str | Path) -> str:
    """The same, where there is nothing to do without one. Raises AnalysisError."""
    url = warehouse_of(named, source)
    if url is None:
        raise AnalysisError("no warehouse here: name it with --dw or DW_URL, or start the local stack with 'make run'")
    return url


def _create(home: Home) -> None:
    try:
        home.create()
    except CommandError as error:
        raise AnalysisError(str(error)) from error
