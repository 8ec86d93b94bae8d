"""Ingest benchmark: times our handler per event, beside a bare Chalice route that stores it unchecked."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bare import Putting, bare_app
from benchmarks.comparison import Comparison, seconds, take_turns

__all__ = ["ROUNDS", "Handler", "LastObject", "api_events", "handlers", "measure"]

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / "tests" / "events"
REQUEST = "api_gateway_rest"
TITLE = "ingest: handler time per event, S3 stubbed; the bare route does json.loads, adds _ingest, json.dumps, puts"
TARGET = 1.5
ROUNDS = 500
# One timing covers so many passes over all events: milliseconds, so that a short pause or the clock hardly matters.
PASSES = 5

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class LastObject:
    """A stub of S3 that costs almost nothing: it keeps only the bytes of the last object."""

    def __init__(self) -> None:
        self.body = b""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Keep `body`."""
        del bucket, key
        self.body = body


def measure(rounds: Iterable[object]) -> Comparison:
    """Time both handlers once per item of `rounds`, over one request per event name."""
    events = api_events()
    with handlers(LastObject()) as (ours, bare):
        for handler in (ours, bare):
            _require_success(handler, events)
        pairs = take_turns(rounds, lambda: _per_event(ours, events), lambda: _per_event(bare, events))
    return Comparison("ingest", TITLE, "our handler", "bare Chalice route", TARGET, pairs)


def api_events() -> list[dict[str, Any]]:
    """Return one REST API event per event name of the contract, with that event's real payload as its body."""
    from chalicelib.contract import EVENT_NAMES

    request = json.loads((EVENTS / f"{REQUEST}.json").read_bytes())
    return [request | {"body": (EVENTS / f"{name}.json").read_text("utf-8")} for name in EVENT_NAMES]


@contextmanager
def handlers(storage: Putting) -> Iterator[tuple[Handler, Handler]]:
    """Give the entry points of our app and of the bare route; both put objects into `storage`."""
    app = _import_app()
    from chalicelib import log
    from chalicelib.settings import Settings

    before = app.storage, app.settings, log.output
    # Log lines are written and flushed as usual; only the terminal's own time is left out.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        app.storage, app.settings, log.output = storage, Settings(), nowhere
        try:
            yield app.app, bare_app(storage)
        finally:
            app.storage, app.settings, log.output = before


def _import_app() -> Any:  # noqa: ANN401  # a module whose parts are replaced
    """Import our `app.py`, which lies where Chalice wants it and not in a package."""
    sys.path.insert(0, str(ROOT / "chalice_app"))
    try:
        import app
    finally:
        sys.path.remove(str(ROOT / "chalice_app"))
    return app


def _require_success(handler: Handler, events: list[dict[str, Any]]) -> None:
    """Raise RuntimeError if an event is refused, since refusals may be quick; this also warms the handler up."""
    for event in events:
        response = handler(event, None)
        if response["statusCode"] != 200:
            raise RuntimeError(f"an event was refused: {response['body']}")


def _per_event(handler: Handler, events: list[dict[str, Any]]) -> float:
    return seconds(lambda: [handler(event, None) for _ in range(PASSES) for event in events]) / (PASSES * len(events))
