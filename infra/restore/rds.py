"""Looks at a stage's clusters, instances and snapshots in RDS, and changes them; a dry run prints each change only."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from time import monotonic, sleep
from typing import Any, Literal

import boto3
import click
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["Kind", "Rds", "RestoreError", "Things", "command_line", "is_restored"]

Kind = Literal["cluster", "instance"]
# Descriptions of clusters or instances, by name.
Things = Mapping[str, Mapping[str, Any]]

# How we know a restored cluster and its instance: tags stay with them when they are renamed.
TAG = {"Key": "clickstream-restored", "Value": "yes"}
PAUSE_SECONDS = 15.0
PATIENCE_SECONDS = 3600.0


class RestoreError(click.ClickException):
    """The restoration cannot go on; the text says why, and what to do."""

    exit_code = 2


def is_restored(thing: Mapping[str, Any]) -> bool:
    """Tell whether a described cluster or instance was made by this command."""
    return TAG in thing.get("TagList", ())


def command_line(operation: str, arguments: Mapping[str, Any]) -> str:
    """Write a call of RDS as the AWS CLI takes it. A password is left out."""
    words = ["aws", "rds", xform_name(operation, "-").replace("_", "-")]
    for name, value in arguments.items():
        option = xform_name(name, "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif name == "MasterUserPassword":
            words += [f"--{option}", "…"]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            words += [
                f"--{option}",
                *(shlex.quote(each if isinstance(each, str) else json.dumps(each)) for each in value),
            ]
        else:
            words += [f"--{option}", shlex.quote(json.dumps(value) if isinstance(value, Mapping) else str(value))]
    return " ".join(words)


class Rds:
    """RDS in the region of a session."""

    def __init__(self, session: boto3.Session, *, is_dry_run: bool) -> None:
        self.is_dry_run = is_dry_run
        self._client = session.client("rds")

    def change(self, operation: str, **arguments: Any) -> None:  # noqa: ANN401  # whatever the operation takes
        """Print a call, and make it unless this is a dry run. Raises RestoreError if RDS refuses it."""
        click.echo(f"   {command_line(operation, arguments)}")
        if self.is_dry_run:
            return
        try:
            getattr(self._client, operation)(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise RestoreError(
                f"{error}\nRun the same command again once that is repaired: it goes on from here"
            ) from None

    def things(self, kind: Kind, *names: str) -> Things:
        """Return the clusters or instances that exist, of these names."""
        if kind == "cluster":
            found = self._look("describe_db_clusters", "DBClusters")
        else:
            found = self._look("describe_db_instances", "DBInstances")
        key = "DBClusterIdentifier" if kind == "cluster" else "DBInstanceIdentifier"
        return {each[key]: each for each in found if each[key] in names}

    def snapshot(self, name: str) -> Mapping[str, Any] | None:
        """Return the description of a cluster's snapshot, or None."""
        found = self._look("describe_db_cluster_snapshots", "DBClusterSnapshots")
        return next((each for each in found if each["DBClusterSnapshotIdentifier"] == name), None)

    def wait_for(self, kind: Kind, name: str) -> None:
        """Wait until a cluster or instance is available under this name."""
        status = "Status" if kind == "cluster" else "DBInstanceStatus"
        self._wait(f"{kind} {name}", lambda: self.things(kind, name).get(name, {}).get(status, "missing"), "available")

    def wait_for_end(self, kind: Kind, name: str) -> None:
        """Wait until there is no cluster or instance of this name."""
        self._wait(f"{kind} {name}", lambda: "deleting" if self.things(kind, name) else "deleted", "deleted")

    def wait_for_snapshot(self, name: str) -> datetime:
        """Wait until a snapshot is available, and return when it was taken. A dry run returns now."""
        self._wait(f"snapshot {name}", lambda: (self.snapshot(name) or {}).get("Status", "missing"), "available")
        found = self.snapshot(name)
        return found["SnapshotCreateTime"] if found else datetime.now().astimezone()

    def _look(self, operation: str, member: str) -> list[dict[str, Any]]:
        try:
            pages = self._client.get_paginator(operation).paginate()
            return [each for page in pages for each in page[member]]
        except (ClientError, BotoCoreError) as error:
            raise RestoreError(str(error)) from None

    def _wait(self, what: str, status: Callable[[], str], wanted: str) -> None:
        if self.is_dry_run:
            return
        end = monotonic() + PATIENCE_SECONDS
        while (seen := status()) != wanted:
            if monotonic() > end:
                raise RestoreError(f"{what} is still {seen} after an hour: look at it, then run the same command again")
            click.echo(f"   waiting: {what} is {seen}")
            sleep(PAUSE_SECONDS)
