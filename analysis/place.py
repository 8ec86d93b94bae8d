"""Where events are: the place that is named, else what the environment says, else the local stack, running or not."""

import os
from contextlib import suppress
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.raw.local import is_directory
from analysis.raw.partitions import SCHEME, is_object
from analysis.raw.sample import read_sample
from chalicelib.keys import PREFIX
from command_line.errors import CommandError
from command_line.home import BUCKET, Home

__all__ = [
    "has_events",
    "keep_sample_at_home",
    "needed_warehouse_of",
    "require_events",
    "source_of",
    "warehouse_of",
]

HOW_TO_BEGIN = "start the stack with 'make run' and click, or write a sample with 'python -m emulator sample'"


def source_of(named: str | None) -> str | Path:
    """Find the raw bucket. Nothing is created.

    Args:
        named: `s3://bucket`, or a bucket's directory; None if the user named none.

    Returns:
        `named`, else the bucket that `RAW_BUCKET_NAME` names in S3, else the directory of the local stack's bucket.

    Raises:
        AnalysisError: None of these is there, or the local stack's home may not be opened.
    """
    if named:
        return named
    if bucket := os.environ.get("RAW_BUCKET_NAME"):
        return f"{SCHEME}{bucket}"
    directory = _local_bucket()
    if not is_directory(directory):
        raise AnalysisError(f"no events here: {HOW_TO_BEGIN}; or name --source DIR or s3://BUCKET")
    return directory


def has_events(directory: Path) -> bool:
    """Say whether a bucket's directory holds any event, of whatever hour.

    Raises:
        AnalysisError: A directory may not be listed.
    """
    walk = os.walk(directory / PREFIX.rstrip("/"), onerror=_refuse)
    return any(is_object(name) for _, _, names in walk for name in names)


def require_events(source: str | Path) -> None:
    """Raise AnalysisError, which says what to do, if `source` is a directory without any event."""
    if str(source).startswith(SCHEME) or not is_directory(Path(source)) or has_events(Path(source)):
        return
    is_local = Path(source).absolute() == _local_bucket()
    advice = HOW_TO_BEGIN if is_local else f"name a bucket's directory, which holds {PREFIX}YYYY/MM/DD/HH/"
    raise AnalysisError(f"no events in {source}: {advice}")


def warehouse_of(named: str | None, source: str | Path) -> str | None:
    """Find the warehouse.

    Args:
        named: Its URL; None if the user named none.
        source: The raw bucket, as `source_of` gives it.

    Returns:
        `named`, else `DW_URL`, else the local stack's if the stack runs and `source` is its bucket, else None.
    """
    if named:
        return named
    if url := os.environ.get("DW_URL"):
        return url
    home = Home.default()
    if Path(source).absolute() != _local_bucket() or not home.is_held:
        return None
    try:
        return home.read_stack().dw_url
    except CommandError:
        return None


def needed_warehouse_of(named: str | None, source: str | Path) -> str:
    """Find the warehouse as `warehouse_of` does. Raises AnalysisError if there is none."""
    url = warehouse_of(named, source)
    if url is None:
        raise AnalysisError("no warehouse here: name it with --dw or DW_URL, or start the local stack with 'make run'")
    return url


def keep_sample_at_home(source: str | Path, dw_url: str) -> None:
    """Raise AnalysisError if the bucket includes a sample, and the warehouse is not its own stack's embedded one.

    Whoever copies a bucket's events into a warehouse asks this first.
    """
    if read_sample(source) is None:
        return
    is_s3 = str(source).startswith(SCHEME)
    home = Home.default() if is_s3 else Home(Path(source).absolute().parent.parent)
    with suppress(CommandError):
        stack = home.read_stack()
        if stack.is_own_dw and stack.dw_url == dw_url:
            return
    raise AnalysisError(
        f"{source} includes a sample, which must not reach a warehouse that is not its stack's own: empty the bucket "
        "with 'python -m emulator reset', or name another one with --source"
    )


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise AnalysisError(f"cannot list {error.filename}: {error.strerror}") from error


def _local_bucket() -> Path:
    return Home.default().s3 / BUCKET
