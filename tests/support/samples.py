"""A home with a small sample, for tests of what users look at."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from command_line.home import Home
from emulator.seed.run import SeedReport
from emulator.seed.sample import write_sample
from tests.support.stack_process import NO_STACK

__all__ = ["jupyter_environment", "running_stack", "small_sample"]

SHOPPERS = 60  # enough for a chart of each metric


@contextmanager
def running_stack(home: Path, dw_url: str, *, is_own_dw: bool) -> Iterator[None]:
    """Let a home look as if a stack ran on it, with this warehouse."""
    stack = Home(home)
    stack.create()
    with stack.held():
        stack.write_stack(replace(NO_STACK, dw_url=dw_url, is_own_dw=is_own_dw))
        yield


def small_sample(home: Path, dw_url: str | None = None, shoppers: int = SHOPPERS) -> SeedReport:
    """Write a small sample into a home, and into the warehouse of its stack if a URL is given."""
    runs = nullcontext() if dw_url is None else running_stack(home, dw_url, is_own_dw=True)
    with Path(os.devnull).open("w") as nowhere, runs:
        return write_sample(Home(home), Console(file=nowhere), shoppers)


def jupyter_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a notebook that finds this home, and no other place."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DW_URL", "RAW_BUCKET_NAME")}
    return inherited | {"CLICKSTREAM_HOME": str(home)} | more
