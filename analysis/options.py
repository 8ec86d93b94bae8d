"""Options that commands of the analysis share: where events are, and of which hours."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from analysis.errors import AnalysisError
from analysis.span import moment

__all__ = ["DAYS", "Time", "place_options"]

# What commands look at that are about the present; a report looks back further.
DAYS = 7
DW_HELP = "Warehouse.  [default: DW_URL, else the running local stack's]"


class Time(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """An ISO-8601 time, UTC where it has no offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Give an aware time, or fail with an example."""
        try:
            return moment(value)
        except AnalysisError as error:
            self.fail(str(error), param, ctx)


def place_options(days: int, *, warehouse: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Where events are, and of which hours, as every command takes them."""
    here = "RAW_BUCKET_NAME, else the local stack's"
    options = [
        click.option("--source", metavar="DIR|s3://BUCKET", help=f"Raw bucket.  [default: {here}]"),
        *([click.option("--dw", metavar="URL", help=DW_HELP)] if warehouse else []),
        click.option("--start", type=Time(), help=f"First hour, UTC.  [default: {days} days before the end]"),
        click.option("--end", type=Time(), help="Hour after the last, UTC.  [default: the next hour]"),
    ]

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options
