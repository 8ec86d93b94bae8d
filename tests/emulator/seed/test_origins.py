import json
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from analysis.lake.derived import SOURCES, with_derived
from analysis.lake.derived.channels import RULES, UNASSIGNED
from analysis.lake.derived.user_agents import DEVICES as CATEGORIES
from emulator.seed.answers.tally import Tally
from emulator.seed.clock import milliseconds
from emulator.seed.event import Event
from emulator.seed.origins.devices import DEVICES, HOMES
from emulator.seed.origins.origin import DIMENSIONS
from emulator.seed.origins.ways import WAYS
from emulator.seed.store import Store

pytestmark = pytest.mark.slow

DOCUMENTED = Path(__file__).parents[3] / "docs" / "derived.md"  # the rule of the channel of a session
END = milliseconds(datetime(2026, 11, 20, tzinfo=UTC))


def store(seed: int, shoppers: int = 60, *, is_clean: bool = False) -> Store:
    return Store(seed, 7, shoppers, END, is_clean)


def told(history: Store) -> tuple[list[Event], Tally]:
    """Give all events of a store in the order of each shopper, and what is known of them."""
    events, tally = [], Tally()
    for number in range(history.shoppers):
        shopper, fault = history.history(number)
        tally.count(shopper, fault.__name__ if fault else None)
        events += shopper.events
    return events, tally


def read(events: list[Event]) -> pl.DataFrame:
    """Give session and derived columns of each event, read from the bytes of its object."""
    rows = []
    for event in events:
        body: dict[str, Any] = json.loads(event.body)
        zone = body["context"]["timeZone"]
        address = body.get("pageUrl"), body["referrer"]
        rows.append((event.payload["sessionId"], *address, body["_ingest"]["userAgent"], zone))
    return with_derived(pl.DataFrame(rows, dict.fromkeys(("session_id", *SOURCES), pl.String), orient="row"))


class TestOrigins:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_answers_are_those_of_the_bytes(self, seed: int) -> None:
        """Events and sessions by each value of each derived column, with faults, and the channels of sessions."""
        events, tally = told(store(seed))
        found = read(events)
        derived = tally.as_json()["derived"]
        for column in DIMENSIONS:
            counted = found.group_by(column).agg(pl.len(), pl.col("session_id").drop_nulls().n_unique().alias("n"))
            expected = {(each["value"], each["events"], each["sessions"]) for each in derived[column]}
            assert set(counted.rows()) == expected, column
        statement = DOCUMENTED.read_text().partition("```sql\n")[2].partition("```")[0]
        with duckdb.connect() as database:
            database.register("events", found.with_columns(occurred_at=pl.Series([event.at for event in events])))
            assert dict(database.sql(statement).fetchall()) == tally.as_json()["session_channels"]

    def test_no_device_is_a_bot(self) -> None:
        """Metrics leave bots out, and count every event of the seed."""
        events, _ = told(store(1))
        assert not read(events)["is_bot"].any()

    def test_everything_happens(self) -> None:
        """Each device, country and channel, and searches, in a store of the size of the sample."""
        _, tally = told(store(1, 800, is_clean=True))
        values = {name: {value for column, value in tally.events if column == name} for name in DIMENSIONS}
        assert values["device"] == set(CATEGORIES)
        assert values["browser"] == {device.browser for device in DEVICES}
        assert values["country"] == {home.country for home in HOMES}
        assert values["acquisition_channel"] == {way.channel for way in WAYS}
        assert values["search_term"] > {None}

    def test_ways_reach_every_channel(self) -> None:
        """Also the one for what fits no rule, and the pages that begin no acquisition."""
        assert {way.channel for way in WAYS} == {*RULES, UNASSIGNED, None}

    def test_shares_are_percents(self) -> None:
        """Of devices, of homes and of ways."""
        assert [sum(shares.values()) for shares in (DEVICES, HOMES, WAYS)] == [100, 100, 100]

    def test_most_come_from_vietnam(self) -> None:
        """As the language of the shop has it."""
        events, _ = told(store(1, is_clean=True))
        assert Counter(event.origin.country for event in events).most_common(1)[0][0] == "VN"

    def test_a_client_keeps_its_device_and_a_shopper_the_time_zone(self) -> None:
        """Over all visits; the second device may be another."""
        history = store(4, 150, is_clean=True)
        kinds = set()
        for number in range(history.shoppers):
            events = history.history(number)[0].events
            devices = {(event.payload["clientId"], event.origin.user_agent) for event in events}
            assert len(devices) == len({client for client, _ in devices})
            assert len({event.payload["context"]["timeZone"] for event in events}) == 1
            kinds.add(len({device for _, device in devices}))
        assert kinds == {1, 2}

    def test_a_session_has_its_campaign_on_the_first_page_only(self) -> None:
        """Each later page has the page before it as its referrer."""
        events, _ = told(store(5, is_clean=True))
        for _, group in groupby(events, key=lambda event: event.payload["sessionId"]):
            first, *others = dict.fromkeys(event.payload["pageUrl"] for event in group)
            assert not any("utm_" in page or "clid" in page for page in others), first
