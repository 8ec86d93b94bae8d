"""Finds files that are damaged and hours that are not as recorded, and has them compacted again from raw."""

from dataclasses import dataclass
from datetime import datetime

from analysis.errors import AnalysisError
from analysis.lake.compaction.accounting import NO_ROWS
from analysis.lake.compaction.outcome import Compacted
from analysis.lake.compaction.place import Place
from analysis.lake.compaction.planning import Closing, Plan, day_span, plan
from analysis.lake.files import Count, Damaged
from command_line.progress import progress

__all__ = ["Repair"]


@dataclass
class Repair:
    """Adds what has to be compacted again to a plan.

    Attributes:
        place: Raw and the lake.
        found: The plan.
        closing: Which hours are closed.
        done: Damaged files and hours that raw has no more are named in it.
        may_lose: Whether a day of which raw has fewer objects than were compacted may be compacted again, too.
    """

    place: Place
    found: Plan
    closing: Closing
    done: Compacted
    may_lose: bool

    def verify(self) -> None:
        """Read every file. Add the days of damaged files, and the hours whose rows are not as recorded."""
        place = self.place
        counts: dict[datetime, Count] = {}
        for files in (place.events, place.orders):
            with progress(f"reading {files.table.name()[-1]}", len(files.tasks)) as advance:
                for task in files.tasks:
                    try:
                        rows = files.read([task])
                    except Damaged as error:
                        self.replace(error)
                    else:
                        if files is place.events:
                            counts |= files.counted(rows)
                    advance(1)
        recorded = place.records.hours
        for hour, record in recorded.items():
            if counts.get(hour, NO_ROWS) == Count(record.rows, record.ids):
                continue
            if place.has_in_raw(hour, record):
                place.forget([hour])
                self.found.add(hour)
            else:
                self.found.gone.append(hour)

    def replace(self, error: Damaged) -> None:
        """Have the day of a damaged file compacted again from raw.

        Raises:
            AnalysisError: Raw does not have the day any more, and it may not be lost.
        """
        place, day = self.place, error.day
        here = plan(place.raw, place.source, {}, self.closing, day_span(day))
        recorded = place.records.of_day(day)
        if not self.may_lose and not all(place.has_in_raw(hour, record) for hour, record in recorded.items()):
            raise AnalysisError(
                f"{error.path} is damaged ({error.reason}), and raw has fewer objects of {day} than were compacted: "
                f"bring the file back from a copy, or do without its rows by 'python -m analysis compact --start {day} "
                f"--end {day_span(day)[1]:%Y-%m-%d}'"
            )
        place.events.damaged.add(error.path)
        place.orders.damaged.add(error.path)
        self.done.damaged.append(error.path)
        for hour in {*here.days.get(day, ()), *recorded}:
            self.found.add(hour)
