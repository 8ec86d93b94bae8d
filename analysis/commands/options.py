"""Options that the analysis commands share: where the events are, which span to read, and whose clocks count."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any

import click

from analysis.errors import AnalysisError
from analysis.metrics.range import moment
from analysis.metrics.zone import default_zone, zone_of
from analysis.raw.partitions import SCHEME
from command_line.numbers import FiniteRange
from command_line.text import Text

__all__ = [
    "DAYS",
    "Time",
    "lake_option",
    "lake_options",
    "lookback_option",
    "source_option",
    "span_options",
    "stage_option",
    "warehouse_option",
    "zone_option",
]

# Commands about the present look at so many days; a report looks back further.
DAYS = 7
# The part of a stage that stands for an argument.
OF_STAGE = {"source": "source", "dw": "dw_url", "url": "endpoint", "queue": "queue"}
MOST_LOOKBACK = 24 * 366  # hours, as many as `moment` leaves room for


class Time(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """An ISO-8601 time; without an offset, it is of the zone that --zone names."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Give an aware time, or fail with an example of one."""
        try:
            return moment(value, None if ctx is None else ctx.params.get("zone"))
        except AnalysisError as error:
            self.fail(str(error), param, ctx)


class Zone(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """The IANA name of a time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Give the name, or fail with what to write instead."""
        try:
            return zone_of(value).key
        except AnalysisError as error:
            self.fail(str(error), param, ctx)


class Bucket(Text):
    """`s3://` with a bucket's name, which is UTF-8, or the path of a directory, which may have any bytes."""

    name = "bucket"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Give the text, or fail with what is wrong."""
        return super().convert(value, param, ctx) if str(value).startswith(SCHEME) else str(value)


Command = Callable[..., None]

source_option = click.option(
    "--source",
    metavar="DIR|s3://BUCKET",
    type=Bucket(),
    help="Raw bucket.  [default: RAW_BUCKET_NAME, else the local stack's]",
)
warehouse_option = click.option(
    "--dw", metavar="URL", help="Warehouse.  [default: DW_URL, else the running local stack's]"
)

lake_option = click.option(
    "--lake", metavar="DIR|glue", help="The lake.  [default: LAKE, else lake/ in the local stack's home]"
)


def lake_options(command: Command) -> Command:
    """Add --lake and --no-lake; the command takes one argument, `lake`, as readers do."""
    named = click.option(
        "--lake",
        metavar="DIR|glue",
        help="Lake, whose hours are read instead of raw's where they hold the same.  [default: LAKE, else lake/ in the "
        "local stack's home, if it is there]",
    )
    without = click.option("--no-lake", is_flag=True, help="Read raw only.")

    @wraps(command)
    def whole(*, lake: str | None, no_lake: bool, **arguments: object) -> None:
        if lake is not None and no_lake:
            raise click.UsageError("--lake names what --no-lake leaves out: choose one")
        command(lake=not no_lake if lake is None else lake, **arguments)

    return named(without(whole))


def stage_option(command: Command) -> Command:
    """Add --stage, which gives the command's `source`, `dw` and lake, as far as it has them, in their place."""
    option = click.option(
        "--stage",
        metavar="NAME",
        help="Deployed stage, as prod: its bucket, warehouse and lake, instead of --source and --dw. It needs AWS "
        "credentials, and no way into the stage's VPC.",
    )

    @wraps(command)
    def whole(*, stage: str | None, **arguments: Any) -> None:  # noqa: ANN401  # those of the command
        if stage is None:
            command(**arguments)
            return
        if arguments.get("source") or arguments.get("dw"):
            raise click.UsageError("--stage names bucket and warehouse: leave out --source and --dw")
        # Imported here, since boto3 takes longer to import than --help takes to run.
        from analysis.repair.stage import stage_named

        found = stage_named(stage)
        for name, part in OF_STAGE.items():
            if name in arguments:
                arguments[name] = arguments[name] or getattr(found, part)
        if arguments.get("lake") is not None and arguments["lake"] is not True:
            command(**arguments)
            return
        place = found.lake if "lake" in arguments else None
        if "lake" in arguments and place is None:
            arguments["lake"] = False  # not the lake of this computer
        with _lake(place):
            command(**arguments)

    return option(whole)


@contextmanager
def _lake(place: str | None) -> Iterator[None]:
    """Let a lake be the default one."""
    was = os.environ.get("LAKE")
    if place is not None:
        os.environ["LAKE"] = place
    try:
        yield
    finally:
        if place is not None:
            os.environ.pop("LAKE")
            if was is not None:
                os.environ["LAKE"] = was


lookback_option = click.option(
    "--lookback",
    type=FiniteRange(0, MOST_LOOKBACK),
    default=24.0,
    show_default=True,
    help="Hours before --start in which a duplicate's first object is looked for, and after --end in which a number "
    "that is missing in a tab may still have arrived.",
)


def span_options(days: int) -> Callable[[Command], Command]:
    """Give a decorator that adds --start, --end and --zone; the default span is `days` days up to the current hour."""
    start = click.option(
        "--start",
        type=Time(),
        help=f"First moment, as 2026-11-24 or 2026-11-24T09:00.  [default: {days} days before the end]",
    )
    end = click.option("--end", type=Time(), help="Moment after the last.  [default: the end of this hour]")
    zone = zone_option("Time zone of hours, days, and times without an offset.")
    return lambda command: start(end(zone(command)))


def zone_option(purpose: str) -> Callable[[Command], Command]:
    """Give a decorator that adds --zone, whose help says what it is for."""
    return click.option(
        "--zone",
        metavar="NAME",
        type=Zone(),
        is_eager=True,  # because times are read with it
        callback=lambda _context, _option, name: name or _default_zone(),
        help=f"{purpose} An IANA name, as Asia/Ho_Chi_Minh.  [default: CLICKSTREAM_ZONE, else UTC]",
    )


def _default_zone() -> str:
    try:
        return default_zone()
    except AnalysisError as error:
        raise click.UsageError(str(error)) from None
