"""Checks for programs among the people: user agents of bots, and many clients of one address that come once."""

from collections.abc import Callable
from typing import TypeAlias

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted
from analysis.rows.bots import is_bot

__all__ = ["MANY", "AddressOf", "bot_checks"]

# Gives the address that `source_ip` stands for, by that and by the key of an object.
AddressOf: TypeAlias = Callable[[str, str], str | None]

MANY = 50  # clients with one event each, from one address
SHARE = 0.9  # of the address's clients; behind the address of an office or a network, more of them stay


def bot_checks(events: Parts, address_of: AddressOf = lambda address, _: address) -> list[Check]:
    """Check who sends the events.

    Args:
        events: The events.
        address_of: Gives the address that `source_ip` stands for, if it is not the address itself.
    """
    agents = pl.concat([part.unique() for part in events.frames("user_agent")])["user_agent"].unique()
    sent = events.where(pl.col("user_agent").is_in(agents.filter(is_bot(agents)).implode()))
    counts = [_by_agent(part) for part in sent.groups("client_id", "user_agent", "client_id")]
    bots = pl.concat(counts).group_by("user_agent").agg(pl.col("events", "clients").sum())
    bots = bots.sort("events", "user_agent", descending=[True, False])
    number = int(bots["events"].sum())
    crowds = _crowds(events, address_of)
    return [
        Check(
            "bots",
            "info",
            counted(number, "event was sent by a bot", "events were sent by bots"),
            "none",
            "Crawlers, headless browsers and monitors, by their user agent. The warehouse counts them; over raw, "
            "bots=False and --no-bots leave them out.",
            bots.to_dicts(),
        ),
        Check(
            "one_hit_clients",
            "warning",
            counted(
                crowds.height,
                f"address has {MANY} clients or more that send one event each",
                f"addresses have {MANY} clients or more that send one event each",
            ),
            f"fewer than {MANY} such clients, or fewer than {SHARE:.0%} of the address's clients",
            "A program that keeps no cookies looks like this: it inflates visitors and sessions. Block the address, or "
            "leave its events out: the field source_ip of raw names it.",
            crowds.to_dicts(),
        ),
    ]


def _by_agent(events: pl.DataFrame) -> pl.DataFrame:
    return events.group_by("user_agent").agg(events=pl.len(), clients=pl.col("client_id").n_unique())


def _crowds(events: Parts, address_of: AddressOf) -> pl.DataFrame:
    """Count the clients of each address by how many events they sent."""
    known = events.where(pl.all_horizontal(pl.col("source_ip", "client_id").is_not_null()))
    counts = [_by_address(part) for part in known.groups("client_id", "source_ip", "client_id")]
    addresses = pl.concat(counts).group_by("source_ip").agg(pl.col("clients", "one_hit_clients").sum())
    is_crowd = (pl.col("one_hit_clients") >= MANY) & (pl.col("one_hit_clients") >= SHARE * pl.col("clients"))
    crowds = addresses.filter(is_crowd)
    theirs = known.where(pl.col("source_ip").is_in(crowds["source_ip"].implode())).frames("source_ip", "key")
    keys = pl.concat(list(theirs)).group_by("source_ip").agg(pl.col("key").min())
    names = {sender: address_of(sender, key) for sender, key in keys.iter_rows()}
    return crowds.with_columns(pl.col("source_ip").replace_strict(names, return_dtype=pl.String)).sort("source_ip")


def _by_address(events: pl.DataFrame) -> pl.DataFrame:
    clients = events.group_by("source_ip", "client_id").agg(events=pl.len())
    return clients.group_by("source_ip").agg(clients=pl.len(), one_hit_clients=(pl.col("events") == 1).sum())
