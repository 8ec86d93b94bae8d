"""How many visitors come back: the section "Retention" of docs/metrics.md."""

from collections import Counter
from datetime import date

from tests.support.plain_metrics.history import Events, Row
from tests.support.plain_metrics.zones import cohort_of, periods_between

__all__ = ["retention"]


def retention(events: Events, grain: str = "day", cohort: str = "range") -> list[Row]:
    visitors: Counter[date] = Counter()
    active: Counter[tuple[date, int]] = Counter()
    for found in events.visitors.values():
        beginnings = [event for event in found if cohort == "range" or event.first_visit is True]
        if beginnings:
            began = cohort_of(events.time(beginnings[0]), grain, events.zone)
            visitors[began] += 1
            lived = {
                periods_between(began, cohort_of(events.time(event), grain, events.zone), grain) for event in found
            }
            active.update((began, period) for period in lived if period >= 0)
    return [
        {
            "cohort": began,
            "period": period,
            "visitors": visitors[began],
            "active": number,
            "share": number / visitors[began],
        }
        for (began, period), number in sorted(active.items())
    ]
