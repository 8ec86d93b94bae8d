"""Answers of retention: the share of each cohort of visitors that comes back."""

from collections import Counter, defaultdict
from datetime import date, timedelta

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import Table, day_of

__all__ = ["retention"]

DAYS = {"day": 1, "week": 7}


def retention(events: Events, grain: str) -> Table:
    """Count active visitors by cohort and period.

    A cohort is the day, or the Monday of the week, of a visitor's first event; a period is the days or weeks since.
    """
    visitors: Counter[date] = Counter()
    active: dict[date, Counter[int]] = defaultdict(Counter)
    for records in events.visitors.values():
        periods = {_period(day_of(record.time, events.zone), grain) for record in records}
        cohort = min(periods)
        visitors[cohort] += 1
        active[cohort].update((period - cohort).days // DAYS[grain] for period in periods)
    rows = [
        (cohort.isoformat(), period, visitors[cohort], number, number / visitors[cohort])
        for cohort in sorted(visitors)
        for period, number in sorted(active[cohort].items())
    ]
    return Table(("cohort", "period", "visitors", "active", "share"), rows)


def _period(day: date, grain: str) -> date:
    return day if grain == "day" else day - timedelta(days=day.weekday())
