"""Python imports this at its start in processes whose wall clock jumps: keeps sleep and signatures right."""

import os
import select
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = os.environ.get("FAKETIME_TIMESTAMP_FILE")


def _sleep(seconds: float) -> None:
    """Sleep by `select`.

    Version 0.9.10 of libfaketime makes the sleep of Python 3.11 and later fail: it changes the end of a sleep although
    that is of the monotonic clock (https://github.com/wolfcw/libfaketime/issues/426).
    """
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


def _time_of_s3(remove_tzinfo: bool = True) -> datetime:  # noqa: FBT001, FBT002  # as botocore has it
    """Return the time of the S3 server, whose clock cannot jump along, since no library is loaded before its program.

    It refuses signatures that are off by more than 15 minutes.
    """
    now = datetime.now(UTC) - timedelta(seconds=int(Path(str(FILE)).read_text(encoding="ascii")))
    return now.replace(tzinfo=None) if remove_tzinfo else now


vars(time)["sleep"] = _sleep
if FILE:
    from botocore import auth

    vars(auth)["get_current_datetime"] = _time_of_s3
