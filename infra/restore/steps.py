"""The steps of a restoration: each looks at what is there, and does what is still to do."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from infra.costs.prices import PRICES
from infra.restore.rds import TAG, Rds, RestoreError, is_restored
from infra.restore.stage import outputs_of, session_of
from infra.restore.swap import Names, swap

__all__ = ["Restore"]

FRESH = timedelta(days=1)
DATABASE = "clickstream_dw"
VALIDATED = timedelta(days=7)

Run = Callable[[Sequence[str]], int]


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, check=False).returncode


class Restore:
    """The steps, for one stage."""

    def __init__(self, stage: str, snapshot_name: str = "", *, is_dry_run: bool = False, run: Run = _run) -> None:
        self._stage = stage
        self._names = Names.of(stage)
        self._own_snapshot = not snapshot_name
        self._snapshot = snapshot_name or f"clickstream-{stage}-restore"
        self._session = session_of(stage)
        self._rds = Rds(self._session, is_dry_run=is_dry_run)
        self._run = run
        self._outputs = outputs_of(stage, self._session)

    def snapshot(self) -> None:
        """Take a snapshot of the live warehouse, or see that the named one is there."""
        found = self._rds.snapshot(self._snapshot)
        if found is None and not self._own_snapshot:
            raise RestoreError(
                f"there is no snapshot {self._snapshot}: 'aws rds describe-db-cluster-snapshots --query "
                "DBClusterSnapshots[].DBClusterSnapshotIdentifier' lists them"
            )
        if found is None:
            self._live()
            self._rds.change(
                "create_db_cluster_snapshot",
                DBClusterSnapshotIdentifier=self._snapshot,
                DBClusterIdentifier=self._names.live,
                Tags=self._tags(),
            )
        elif self._own_snapshot and not self._is_built() and _age(found) > FRESH:
            raise RestoreError(
                f"snapshot {self._snapshot} is {_age(found).days} days old: delete it with STEP=remove, "
                f"or restore it with SNAPSHOT={self._snapshot}"
            )
        click.echo(f"   snapshot {self._snapshot} of {self._rds.wait_for_snapshot(self._snapshot):%Y-%m-%d %H:%M %Z}")

    def build(self) -> None:
        """Restore the snapshot as a cluster of the live one's network and settings, with one instance."""
        live, spare = self._live(), self._names.spare
        if is_restored(live):
            raise RestoreError(
                "the live warehouse is a restored one: end that restoration with STEP=remove or STEP=back"
            )
        scaling = live["ServerlessV2ScalingConfiguration"]
        scaling = {key: scaling[key] for key in ("MinCapacity", "MaxCapacity")}
        dollars = scaling["MinCapacity"] * PRICES["acu_hours"].dollars
        click.echo(f"   costs at least {dollars:.2f} dollars an hour until STEP=remove, and its storage")
        if not self._is_built():
            self._rds.change(
                "restore_db_cluster_from_snapshot",
                DBClusterIdentifier=spare,
                SnapshotIdentifier=self._snapshot,
                Engine=live["Engine"],
                ServerlessV2ScalingConfiguration=scaling,
                DBSubnetGroupName=live["DBSubnetGroup"],
                DBClusterParameterGroupName=live["DBClusterParameterGroup"],
                VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in live["VpcSecurityGroups"]],
                BackupRetentionPeriod=live["BackupRetentionPeriod"],
                CopyTagsToSnapshot=True,
                Tags=[*self._tags(), TAG],
            )
        self._rds.wait_for("cluster", spare)
        # The snapshot of another stage, or of an earlier warehouse, knows another password than the stage's secret.
        self._rds.change(
            "modify_db_cluster",
            DBClusterIdentifier=spare,
            MasterUserPassword="" if self._rds.is_dry_run else self._password(),
            ApplyImmediately=True,
        )
        self._rds.wait_for("cluster", spare)
        instance, live_instance = self._names.instances().spare, self._names.instances().live
        if not self._rds.things("instance", instance):
            made = self._rds.things("instance", live_instance).get(live_instance, {})
            self._rds.change(
                "create_db_instance",
                DBInstanceIdentifier=instance,
                DBClusterIdentifier=spare,
                DBInstanceClass="db.serverless",
                Engine=live["Engine"],
                PubliclyAccessible=False,
                AutoMinorVersionUpgrade=bool(made.get("AutoMinorVersionUpgrade", False)),
                Tags=[*self._tags(), TAG],
            )
        self._rds.wait_for("instance", instance)
        self._rds.change("enable_http_endpoint", ResourceArn=self._arn(spare))

    def validate(self) -> None:
        """Compare the restored rows with raw, up to the snapshot's hour. Exits with code 1 if something differs."""
        end = self._taken().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        clusters = self._rds.things("cluster", *self._names).items()
        built = [name for name, each in clusters if is_restored(each)]
        if not built and not self._rds.is_dry_run:
            raise RestoreError("there is no restored warehouse: run STEP=build first")
        dw = f"rds-data://{DATABASE}?cluster={self._arn(built[0] if built else self._names.spare)}&secret={self._owner}"
        command = [sys.executable, "-m", "analysis", "validate", "--source", f"s3://{self._outputs['RawBucketName']}"]
        command += ["--dw", dw, "--start", f"{end - VALIDATED:%Y-%m-%dT%H:%MZ}", "--end", f"{end:%Y-%m-%dT%H:%MZ}"]
        click.echo(f"   {shlex.join(['python', *command[1:]])}")
        if self._rds.is_dry_run:
            return
        if code := self._run(command):
            click.echo("   the restored warehouse is not as raw is: see above. The live one is as it was.")
            raise SystemExit(code)

    def swap(self) -> None:
        """Let the stage use the restored warehouse."""
        self._exchange(is_restored_wanted=True)
        hour = f"{self._taken().astimezone(UTC):%Y-%m-%dT%H:00Z}"
        click.echo(
            "   the stage uses the restored warehouse. Give its writer and reader the passwords of their secrets,"
        )
        click.echo("   and bring the rows of events since the snapshot back from raw:")
        click.echo(f"   python -m analysis upgrade --stage {self._stage}")
        click.echo(f"   python -m analysis backfill --stage {self._stage} --start {hour}")
        click.echo("   to go back: STEP=back; to end, and to delete the former warehouse: STEP=remove")

    def back(self) -> None:
        """Let the stage use the original warehouse again."""
        self._exchange(is_restored_wanted=False)
        click.echo(
            "   the stage uses the original warehouse. It lacks the rows of events since the swap: backfill them too"
        )

    def remove(self) -> None:
        """Delete the warehouse that the stage does not use. A final snapshot of an original one stays."""
        clusters = self._rds.things("cluster", *self._names)
        if self._names.parked in clusters or (clusters and self._names.live not in clusters):
            raise RestoreError("a swap has not ended: run STEP=swap or STEP=back first")
        spare = clusters.get(self._names.spare)
        if self._rds.things("instance", self._names.instances().spare):
            self._rds.change(
                "delete_db_instance", DBInstanceIdentifier=self._names.instances().spare, SkipFinalSnapshot=True
            )
        if spare:
            self._rds.change(
                "modify_db_cluster",
                DBClusterIdentifier=self._names.spare,
                DeletionProtection=False,
                ApplyImmediately=True,
            )
            self._rds.change("delete_db_cluster", DBClusterIdentifier=self._names.spare, **self._final(spare))
            self._rds.wait_for_end("cluster", self._names.spare)
        for kind, name, arn in (
            ("cluster", self._names.live, "DBClusterArn"),
            ("instance", self._names.instances().live, "DBInstanceArn"),
        ):
            thing = self._rds.things(kind, name).get(name, {})  # type: ignore[arg-type]  # one of the two kinds
            if is_restored(thing):
                self._rds.change("remove_tags_from_resource", ResourceName=thing[arn], TagKeys=[TAG["Key"]])
        if self._own_snapshot and self._rds.snapshot(self._snapshot):
            self._rds.change("delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=self._snapshot)

    def _exchange(self, *, is_restored_wanted: bool) -> None:
        protection = next(
            (
                each["DeletionProtection"]
                for each in self._rds.things("cluster", *self._names).values()
                if not is_restored(each)
            ),
            False,
        )
        if not swap(self._rds, self._names, is_restored_wanted=is_restored_wanted):
            click.echo("   nothing to do: it is so already")
        # The new live one is protected as the original is.
        if is_restored_wanted and protection:
            self._rds.change(
                "modify_db_cluster",
                DBClusterIdentifier=self._names.live,
                DeletionProtection=True,
                ApplyImmediately=True,
            )

    def _final(self, spare: Mapping[str, Any]) -> dict[str, Any]:
        """Return how to delete a cluster: a restored one is a copy, an original one leaves a snapshot."""
        # `make destroy DELETE_RAW=yes` deletes snapshots whose names begin so.
        name = f"clickstream-{self._stage}-warehouse-{spare['DbClusterResourceId'].lower()}"
        if is_restored(spare) or self._rds.snapshot(name):
            return {"SkipFinalSnapshot": True}
        return {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": name}

    def _live(self) -> Mapping[str, Any]:
        found = self._rds.things("cluster", self._names.live).get(self._names.live)
        if found is None:
            raise RestoreError(f"there is no cluster {self._names.live}: run 'make deploy STAGE={self._stage}' first")
        return found

    def _is_built(self) -> bool:
        return bool(self._rds.things("cluster", self._names.spare))

    def _taken(self) -> datetime:
        """Return when the snapshot was taken; now, in a dry run without one."""
        found = self._rds.snapshot(self._snapshot)
        if found is None and not self._rds.is_dry_run:
            raise RestoreError(f"there is no snapshot {self._snapshot}: run STEP=snapshot, or name it with SNAPSHOT=…")
        return found["SnapshotCreateTime"] if found else datetime.now(UTC)

    def _arn(self, cluster: str) -> str:
        arn, _, _ = self._outputs["DwClusterArn"].rpartition(":")
        return f"{arn}:{cluster}"

    @property
    def _owner(self) -> str:
        """The secret of the warehouse's owner, whose password `build` sets. Older stages have one for everything."""
        return self._outputs.get("DwOwnerSecretArn") or self._outputs["DwSecretArn"]

    def _password(self) -> str:
        try:
            secret = self._session.client("secretsmanager").get_secret_value(SecretId=self._owner)
        except (ClientError, BotoCoreError) as error:
            raise RestoreError(f"the secret of the warehouse cannot be read: {error}") from None
        return str(json.loads(secret["SecretString"])["password"])

    def _tags(self) -> list[dict[str, str]]:
        return [{"Key": "app", "Value": "clickstream"}, {"Key": "stage", "Value": self._stage}]


def _age(snapshot: Mapping[str, Any]) -> timedelta:
    age: timedelta = datetime.now(UTC) - snapshot.get("SnapshotCreateTime", datetime.now(UTC))
    return age
