"""Writes the answers as a JSON file.

The document is one object:

- `seed`, `days`, `shoppers`, `clean`, `start`, `end`: the history that the answers are about; times are like
  `2026-11-24T22:00:00.000Z`.
- `zone`: the time zone whose hours, days and weeks the metrics count.
- `objects`, `rows`, `duplicates`, `rejects`: counts over the whole history, and `hours`: the same for each partition
  hour that has objects, with its beginning as `hour`. A row counts in the hour of the first received object of its
  event id.
- `faults`: how often each kind of fault was planted.
- `derived`: for each of these derived columns (docs/derived.md) the list of its values: `value`, the number of `events`
  that have it, and the number of `sessions` with such an event. Events without a session count in no session.
- `session_channels`: the number of sessions by the acquisition channel of the session.
- `metrics`: a list of `metric` (its name), `arguments` (by name, as the function takes them), `login_state`
  (`logged_in`, `anonymous`, or null for all events), `clock` (`received`, or `occurred` for figures over raw by the
  time at which events happened), `columns`, and `rows`: a list of lists of values.
  Times and periods are text as above, cohorts are text like `2026-11-23`, exact sums of money are text of a decimal
  number, ratios and durations are numbers, and there is null where SQL has NULL.
- `checks`: for each check the list of its findings, in the order of their JSON text; the list may be empty.

The findings, by check:

- `rejects`, `missing_event_ids`, `discounts_above_price`, `wrong_partitions`: `key` of the object
- `repeated_event_ids`, `event_ids_that_are_no_uuid`: `key` and `event_id`, as sent
- `missing_fields`: `event_name`, `field`, in camelCase and dotted like `product.id`, `first_seen` (the earliest
  receipt of such an event), `events` (how many)
- `unknown_event_names`, `unknown_fields`: `event_name` or `field` (dotted), `first_seen`, `events`
- `lost_values`: `event_name`, `column` of the warehouse, `member` that was sent, `reason`, `first_seen`, `events`
- `clock_skew`: `client_id` and `seconds`, the smallest time between an event and its receipt
- `late_events`: `key` and `seconds`, beyond the smallest delay of its client
- `moved_days`: `key`, of an event that was received on a later day (UTC) than it happened
- `lost_events`: `client_id`, `tab_id`, and the `first` and `last` sequence number of a gap; `sequence`, beside the
  checks, holds how many events were `expected` and how many are `lost`, over all tabs, and the `loss_rate`
- `counted_drops`: `client_id` and `grew_by`
- `repeated_seqs`: `client_id`, `tab_id`, `seq`, and the `event_ids` that have it
- `broken_sessions`: `session_id`, and `reason`: `gap` or `clients`
- `first_visit_contradictions`: `client_id`
- `rounded_prices`: `member`, `first_seen` (its earliest receipt), `events`
- `missing_rows`, `rows_without_object`, `altered_rows`, `raw_and_warehouse_differ`, `other_price_decimals`: always
  empty if the warehouse holds the seed
- `stray_objects`, `objects_without_receipt`, `other_publishers`, `impossible_prices`, `bots`, `one_hit_clients`: always
  empty

All of it holds with `PRICE_DECIMALS` 0.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from command_line.errors import CommandError
from emulator.seed.answers.metrics import Answer
from emulator.seed.answers.tally import Tally
from emulator.seed.clock import iso
from emulator.seed.store import Store

__all__ = ["as_line", "write_answers"]


def as_line(answer: Answer) -> str:
    """Return one answer as one line of JSON."""
    (columns, rows), settings = answer.table, answer._asdict()
    del settings["table"]
    return _dump({**settings, "columns": columns, "rows": rows})


def write_answers(path: Path, store: Store, tally: Tally, zone: str, lines: Iterable[str]) -> None:
    """Write the document, completely or not at all.

    Args:
        path: The file.
        store: The store that the answers are about.
        tally: Counts and findings of the whole history.
        zone: The time zone of the answers.
        lines: The answers, each as one line of JSON.

    Raises:
        CommandError: The file cannot be written.
    """
    head = {
        "seed": store.seed,
        "days": store.days,
        "shoppers": store.shoppers,
        "clean": store.is_clean,
        "start": iso(store.start),
        "end": iso(store.end),
        "zone": zone,
        **tally.numbers(),
        "hours": [{"hour": iso(hour), **tally.numbers(hour)} for hour in tally.hours],
        **tally.as_json(),
    }
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch(mode=0o600)  # private, as all files of a home
        with partial.open("w", encoding="utf-8") as file:
            file.write("{")
            file.writelines(f"{_dump(name)}:{_dump(value)},\n" for name, value in head.items())
            file.write('"metrics":[\n' + ",\n".join(lines) + "\n]}\n")
        partial.replace(path)
    except OSError as error:
        raise CommandError(f"cannot write the answers to {path}: {error.strerror}") from error


def _dump(value: Any) -> str:  # noqa: ANN401  # JSON
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
