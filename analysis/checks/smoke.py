"""Smoke test: posts one event, finds it in raw storage and then in the warehouse, and says how long that took.

The event is named `smoke_test` and has no client, user, session or product. It counts as an event, but not for any
visitor, session, funnel, cart, path or product.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx2
from botocore.exceptions import BotoCoreError, ClientError

from analysis.engines.warehouse import WarehouseEvents
from analysis.errors import AnalysisError, NoTable
from analysis.raw.partitions import Folder
from analysis.raw.source import open_source
from chalicelib.contract import TABLE
from chalicelib.envelope import as_sent, iso_milliseconds
from command_line.errors import CommandError
from command_line.home import Home
from command_line.json_text import json_text

__all__ = ["EVENT_NAME", "Smoke", "endpoint_of", "headers_of", "in_log", "in_raw", "in_warehouse", "smoke"]

EVENT_NAME = "smoke_test"
RESPONSE_SECONDS = 30
PAUSE_SECONDS = 0.2
# Outcomes in the projector's log after which the row is in the warehouse.
ROW_IS_THERE = ("projected", "already_known")

# Takes the event id and the object's key, and says whether a place has the event by now.
Look = Callable[[str, str], bool]


@dataclass
class Smoke:
    """The outcome of a smoke test: the event's key, and the seconds from sending until it was in each place."""

    event_id: str
    key: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    problem: str | None = None

    @property
    def is_passed(self) -> bool:
        """Whether the event was in every place in time."""
        return self.problem is None

    def as_json(self) -> str:
        """Give one JSON object."""
        return json_text({"passed": self.is_passed, "event_name": EVENT_NAME, **asdict(self)})

    def as_text(self) -> str:
        """Give one line for the event, one for each place, and one for the problem, if there is one."""
        lines = [f"{EVENT_NAME} {self.event_id}"]
        lines += [f"{seconds:8.3f} s  {place}" for place, seconds in self.seconds.items()]
        return "\n".join([*lines, *([f"failed: {self.problem}"] if self.problem else [])])


def endpoint_of(named: str | None, source: str | None) -> str:
    """Choose the URL that the event is posted to: `named`, or the endpoint of the running local stack.

    Raises:
        AnalysisError: No URL is named and no local stack runs. Or the URL is not the local stack's, and neither
            `source` nor `RAW_BUCKET_NAME` says where it stores its events.
    """
    home = Home.default()
    try:
        local = home.read_stack().endpoint if home.is_held else None
    except CommandError:
        local = None
    if named is None and local is None:
        raise AnalysisError(
            "no endpoint: name one with --url https://…/clickstream, or start a local stack with 'make run'"
        )
    if named not in (None, local) and not source and not os.environ.get("RAW_BUCKET_NAME"):
        raise AnalysisError(f"the bucket of {named} is unknown: name it with --source s3://BUCKET")
    return named or str(local)


def headers_of(lines: Sequence[str]) -> dict[str, str]:
    """Parse headers from lines `Name: value`.

    Without lines, the header comes from the environment's `SMOKE_HEADER`, because `ps` shows a command's arguments.

    Raises:
        AnalysisError: A line is not a header.
    """
    headers = {}
    for line in lines or filter(None, [os.environ.get("SMOKE_HEADER")]):
        name, colon, value = line.partition(":")
        if not (colon and name.strip() and line.isascii() and line.isprintable()):
            raise AnalysisError("a header is written as Name: value, for example 'Authorization: Bearer …'")
        headers[name.strip()] = value.strip()
    return headers


def smoke(url: str, headers: Mapping[str, str], places: Mapping[str, Look], timeout: float) -> Smoke:
    """Post one event, and wait until it is in each place.

    Args:
        url: The endpoint.
        headers: Headers to send along.
        places: How to look for the event in each place, by the place's name, in order.
        timeout: Seconds to wait for all places together.

    Raises:
        AnalysisError: The endpoint does not answer, or a place cannot be read.
    """
    result = Smoke(str(uuid4()))
    started = time.monotonic()
    result.key, result.problem = _post(url, headers, result.event_id)
    if result.key is None:
        return result
    result.seconds["accepted"] = round(time.monotonic() - started, 3)
    for place, look in places.items():
        while not look(result.event_id, result.key):
            if time.monotonic() - started > timeout:
                result.problem = f"not {place} after {timeout:g} s ({result.key})"
                return result
            time.sleep(PAUSE_SECONDS)
        result.seconds[place] = round(time.monotonic() - started, 3)
    return result


def in_raw(source: str | Path) -> Look:
    """Look for the event's object in a raw bucket."""
    bucket = open_source(source)

    def look(event_id: str, key: str) -> bool:
        folder, _, name = key.rpartition("/")
        found = dict(bucket.read([Folder(f"{folder}/", [name])]))
        return key in found and json.loads(as_sent(found[key].decode()))["eventId"] == event_id

    return look


def in_warehouse(url: str) -> Look:
    """Look for the event's row in a warehouse."""
    warehouse = WarehouseEvents(url, timeout=10)

    def look(event_id: str, key: str) -> bool:  # noqa: ARG001  # as the others
        query = f"SELECT event_name FROM {TABLE} WHERE event_id = CAST($event_id AS UUID)"  # noqa: S608  # our own name
        try:
            return not warehouse.query(query, {"event_id": event_id}).is_empty()
        except NoTable:
            return False

    return look


def in_log(group: str) -> Look:
    """Look for the event in the projector's CloudWatch log, if the warehouse itself cannot be reached."""
    since = round((datetime.now(UTC) - timedelta(minutes=1)).timestamp() * 1000)

    def look(event_id: str, key: str) -> bool:  # noqa: ARG001  # as the others
        search = {"logGroupName": group, "startTime": since, "filterPattern": f'"{event_id}"'}
        try:
            pages = boto3.client("logs").get_paginator("filter_log_events").paginate(**search)
            lines = [_json_object(event["message"]) for page in pages for event in page["events"]]
        except (BotoCoreError, ClientError) as error:
            raise AnalysisError(f"cannot read the log group {group}: {_reason(error)}") from error
        return any(line.get("outcome") in ROW_IS_THERE for line in lines)

    return look


def _post(url: str, headers: Mapping[str, str], event_id: str) -> tuple[str | None, str | None]:
    """Post the event; give its key, or the problem."""
    event = {"eventId": event_id, "eventName": EVENT_NAME, "eventTimestamp": iso_milliseconds(datetime.now(UTC))}
    try:
        response = httpx2.post(url, json=event, headers=headers, timeout=RESPONSE_SECONDS)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise AnalysisError(f"{url} does not answer ({error}): is it the endpoint, https://…/clickstream?") from error
    said = _json_object(response.text)
    key = said.get("key")
    if response.is_success and isinstance(key, str):
        return key, None
    return None, f"not accepted: {response.status_code} {said.get('message', response.text[:200])}".rstrip()


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _reason(error: BotoCoreError | ClientError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else str(error)
