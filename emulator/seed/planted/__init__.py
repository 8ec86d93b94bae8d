"""Faults that are planted in a history, one kind per shopper, so that none hides or causes the findings of another.

A fault changes a shopper's history, adds the findings that it causes, and gives True; or leaves all as it is, where
the history has nothing that suits, and gives False.
"""

from collections.abc import Callable

from emulator.seed.history import History
from emulator.seed.planted import clocks, identity, missing, oddities, transport, values

__all__ = ["FAULTS", "Fault", "plant"]

Fault = Callable[[History], bool]

# The oddities cause no finding: they are there to be taken for faults, or to be counted wrongly.
# Few shoppers order something, and not many come again: faults that need it come before those that suit anybody.
OF_ORDERS: tuple[Fault, ...] = (
    oddities.repeated_order,
    oddities.foreign_currency,
    oddities.no_currency,
    oddities.no_total,
    missing.missing_order_id,
)
OF_SEVERAL_VISITS: tuple[Fault, ...] = (
    identity.session_goes_on_after_a_gap,
    identity.first_visit_comes_later,
    identity.first_visit_comes_twice,
)
OTHERS: tuple[Fault, ...] = (
    missing.missing_user_id,
    missing.missing_client_id,
    missing.missing_session_id,
    missing.missing_category,
    missing.missing_product_id,
    missing.missing_element_tag,
    missing.missing_event_name,
    missing.missing_event_timestamp,
    missing.missing_page_url,
    identity.first_visit_changes_in_a_session,
    identity.client_changes_in_a_session,
    identity.event_id_that_is_no_uuid,
    identity.missing_event_id,
    transport.counted_loss,
    transport.lost_events,
    transport.late_events,
    transport.repeated_seq,
    transport.repeated_object,
    transport.repeated_in_another_hour,
    transport.corrupt_object,
    transport.wrong_partition,
    clocks.clock_skew,
    clocks.slight_skew,
    values.bad_price,
    values.bad_discount_price,
    values.bad_product_name,
    values.bad_first_visit,
    values.discount_above_price,
    values.unknown_event_name,
    values.unknown_field,
    oddities.brand_object,
    oddities.snake_case,
    oddities.spelled_price,
    oddities.upper_case_id,
)

FAULTS = OF_ORDERS + OF_SEVERAL_VISITS + OTHERS
EVERY = 2  # one shopper of so many has a fault
RARE_EVERY = 4  # one fault of so many is of several visits, if it suits


def plant(history: History, number: int) -> Fault | None:
    """Plant in the history of the shopper of that number the fault whose turn it is, or the next one that suits."""
    turn, is_spared = divmod(number, EVERY)
    if is_spared or not history.events:
        return None
    rare = _from(turn // RARE_EVERY, OF_SEVERAL_VISITS) if turn % RARE_EVERY == 0 else ()
    return next((fault for fault in (*_from(turn, OF_ORDERS), *rare, *_from(turn, OTHERS)) if fault(history)), None)


def _from(turn: int, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """All of them, beginning with the one whose turn it is."""
    start = turn % len(faults)
    return faults[start:] + faults[:start]
