"""Plants faults in histories, one fault per shopper, so that no fault hides or causes the findings of another.

A fault changes a shopper's history, adds the findings that it causes, and returns True. If the history has no suitable
event, the fault changes nothing and returns False.
"""

from collections.abc import Callable

from emulator.seed.history import History
from emulator.seed.planted import clocks, identity, missing, oddities, transport, values

__all__ = ["FAULTS", "Fault", "plant"]

Fault = Callable[[History], bool]

# The oddities cause no finding: they test that nothing takes them for faults or counts them wrongly.
# Few shoppers order something, and few come again: faults that need that come before faults that suit every shopper.
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
    values.rounded_price,
    oddities.upper_case_id,
)

FAULTS = OF_ORDERS + OF_SEVERAL_VISITS + OTHERS
EVERY = 2  # one of so many shoppers has a fault
RARE_EVERY = 4  # one of so many faults needs several visits, if it suits


def plant(history: History, number: int, only: str | None = None) -> Fault | None:
    """Plant one fault in the history of the shopper of that number: the one whose turn it is, or the next that suits.

    Args:
        history: The shopper's history.
        number: The shopper's number.
        only: The name of the only fault to plant; None for all of them in turn.

    Returns:
        The planted fault; None if this shopper has none.
    """
    turn, is_spared = divmod(number, EVERY)
    if is_spared or not history.events:
        return None
    if only is not None:
        return next((fault for fault in FAULTS if fault.__name__ == only and fault(history)), None)
    rare = _from(turn // RARE_EVERY, OF_SEVERAL_VISITS) if turn % RARE_EVERY == 0 else ()
    return next((fault for fault in (*_from(turn, OF_ORDERS), *rare, *_from(turn, OTHERS)) if fault(history)), None)


def _from(turn: int, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Rotate the faults so that they begin with the one whose turn it is."""
    start = turn % len(faults)
    return faults[start:] + faults[:start]
