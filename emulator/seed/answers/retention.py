"""Answers of retention: the share of each cohort of visitors that comes back."""

from collections import Counter, defaultdict
from datetime import date
from itertools import dropwhile

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import Table, day_of, first_day

__all__ = ["retention"]


def retention(events: Events, grain: str, cohort: str = "range") -> Table:
    """Count active visitors by cohort and period.

    A cohort is the day, or the first day of the week or month, of a visitor's first event (`range`) or of their first
    event that says it is of a first visit (`first_visit`); a period is the days, weeks or months since.
    """
    visitors: Counter[date] = Counter()
    active: dict[date, Counter[int]] = defaultdict(Counter)
    for records in events.visitors.values():
        counted = list(dropwhile(lambda record: cohort == "first_visit" and not record.is_first_visit, records))
        if not counted:
            continue
        periods = {first_day(day_of(record.time, events.zone), grain) for record in counted}
        begin = min(periods)
        visitors[begin] += 1
        active[begin].update(_since(begin, period, grain) for period in periods)
    rows = [
        (begin.isoformat(), period, visitors[begin], number, number / visitors[begin])
        for begin in sorted(visitors)
        for period, number in sorted(active[begin].items())
    ]
    return Table(("cohort", "period", "visitors", "active", "share"), rows)


def _since(begin: date, period: date, grain: str) -> int:
    if grain == "month":
        return 12 * (period.year - begin.year) + period.month - begin.month
    return (period - begin).days // {"day": 1, "week": 7}[grain]
