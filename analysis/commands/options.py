"""Options that commands of the analysis share: where events are, and of which hours."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from analysis.errors import AnalysisError
from analysis.metrics.range import moment

__all__ = ["DAYS", "Time", "source_option", "span_options", "warehouse_option"]

# What commands look at that are about the present; a report looks back further.
DAYS = 7


class Time(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """An ISO-8601 time, UTC where it has no offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Give an aware time, or fail with an example."""
        try:
            return moment(value)
        except AnalysisError as error:
            self.fail(str(error), param, ctx)


Command = Callable[..., None]

source_option = click.option(
    "--source", metavar="DIR|s3://BUCKET", help="Raw bucket.  [default: RAW_BUCKET_NAME, else the local stack's]"
)
warehouse_option = click.option(
    "--dw", metavar="URL", help="Warehouse.  [default: DW_URL, else the running local stack's]"
)


def span_options(days: int) -> Callable[[Command], Command]:
    """Of which hours; by default so many days."""
    start = click.option("--start", type=Time(), help=f"First hour, UTC.  [default: {days} days before the end]")
    end = click.option("--end", type=Time(), help="Hour after the last, UTC.  [default: the next hour]")
    return lambda command: start(end(command))
