"""The restore drill: its steps against moto's RDS, again after failures at any call, and what a dry run prints."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto import mock_aws
from moto.rds.models import DBCluster, RDSBackend, rds_backends
from moto.rds.responses import RDSResponse

from infra.restore import rds as rds_module
from infra.restore import steps as steps_module
from infra.restore.command import main
from infra.restore.rds import Rds, RestoreError, command_line
from infra.restore.stage import session_of
from infra.restore.steps import Restore
from infra.restore.swap import Names, renames
from tests.support.stack_process import ROOT

REGION = "eu-central-1"
NAMES = Names.of("prod")
LIVE, SPARE, PARKED = NAMES
OUTPUTS = {
    "DwClusterArn": f"arn:aws:rds:{REGION}:123456789012:cluster:{LIVE}",
    "RawBucketName": "raw-of-prod",
}
enabled: list[str] = []
# Each new session would read the descriptions of all services again.
same_session = cache(session_of)


def _enable_http_endpoint(response: RDSResponse) -> Any:
    """What moto lacks: the Data API of a cluster is turned on."""
    enabled.append(response._get_param("ResourceArn"))
    return response.describe_db_clusters()


_modify_db_cluster = RDSBackend.modify_db_cluster


def _rename_with_members(backend: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
    """The instances of a renamed cluster stay in it; moto forgets them."""
    old, new = kwargs["db_cluster_identifier"], kwargs.get("new_db_cluster_identifier")
    cluster = _modify_db_cluster(backend, kwargs)
    for instance in backend.databases.values():
        if new and instance.db_cluster_identifier == old:
            instance.db_cluster_identifier = new
    return cluster


def _secret(user: str, password: str) -> str:
    text = json.dumps({"username": user, "password": password})
    return str(boto3.client("secretsmanager").create_secret(Name=user, SecretString=text)["ARN"])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give an AWS with the warehouse of `prod`: a cluster, its instance, its secret and the outputs of the stacks."""
    monkeypatch.setattr(rds_module, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(steps_module, "session_of", same_session)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    enabled.clear()
    with (
        mock_aws(),
        patch.object(RDSResponse, "enable_http_endpoint", _enable_http_endpoint, create=True),
        patch.object(RDSBackend, "modify_db_cluster", _rename_with_members),
        # Moto names them by the minute, so that a second cluster of a name is refused within one.
        patch.object(DBCluster, "save_automated_backup"),
    ):
        secrets = {
            "DwOwnerSecretArn": _secret("clickstream", "very-secret-words"),
            "DwSecretArn": _secret("clickstream_writer", "words-of-the-writer"),
        }
        body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
        outputs = {key: {"Value": value} for key, value in (OUTPUTS | secrets).items()}
        boto3.client("cloudformation").create_stack(
            StackName="clickstream-prod-warehouse", TemplateBody=json.dumps(body | {"Outputs": outputs})
        )
        ec2 = boto3.client("ec2")
        subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
        client = boto3.client("rds")
        client.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="x", SubnetIds=subnets)
        client.create_db_cluster_parameter_group(
            DBClusterParameterGroupName="tls", DBParameterGroupFamily="aurora-postgresql16", Description="x"
        )
        client.create_db_cluster(
            DBClusterIdentifier=LIVE,
            Engine="aurora-postgresql",
            MasterUsername="clickstream",
            MasterUserPassword="very-secret-words",
            ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4},
            DBSubnetGroupName="private",
            DBClusterParameterGroupName="tls",
            VpcSecurityGroupIds=["sg-warehouse"],
            BackupRetentionPeriod=7,
            DeletionProtection=True,
        )
        client.create_db_instance(
            DBInstanceIdentifier=f"{LIVE}-1",
            DBClusterIdentifier=LIVE,
            DBInstanceClass="db.serverless",
            Engine="aurora-postgresql",
        )
        yield


def clusters() -> dict[str, dict[str, Any]]:
    return {each["DBClusterIdentifier"]: each for each in boto3.client("rds").describe_db_clusters()["DBClusters"]}


def instances() -> dict[str, dict[str, Any]]:
    return {each["DBInstanceIdentifier"]: each for each in boto3.client("rds").describe_db_instances()["DBInstances"]}


def snapshots() -> list[str]:
    found = boto3.client("rds").describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    return [each["DBClusterSnapshotIdentifier"] for each in found]


def ids() -> dict[str, str]:
    """Which cluster has which name, by the id that renaming does not change."""
    return {name: each["DbClusterResourceId"] for name, each in clusters().items()}


def restored(name: str) -> tuple[bool, bool]:
    """Whether the cluster of this name is a restored one, and its instance."""
    return rds_module.is_restored(clusters()[name]), rds_module.is_restored(instances()[f"{name}-1"])


def do(*steps: str, snapshot: str = "", code: int = 0) -> list[Sequence[str]]:
    """Run steps; give the commands that validate ran, which answer with `code`."""
    ran: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> int:
        ran.append(command)
        return code

    for step in steps:
        getattr(Restore("prod", snapshot, run=run), step)()
    return ran


@pytest.mark.slow
@pytest.mark.usefixtures("aws")
class TestDrill:
    def test_it_restores_a_warehouse_beside_the_live_one(self) -> None:
        """In the same network, with the same capacity, backups and password, and reached by the Data API."""
        before = ids()
        do("snapshot", "build")
        live, spare = clusters()[LIVE], clusters()[SPARE]
        for key in ("DBSubnetGroup", "DBClusterParameterGroup", "ServerlessV2ScalingConfiguration", "Engine"):
            assert spare[key] == live[key], key
        assert spare["BackupRetentionPeriod"] == 7
        assert instances()[f"{SPARE}-1"]["DBClusterIdentifier"] == SPARE
        assert instances()[f"{SPARE}-1"]["PubliclyAccessible"] is False
        assert enabled == [OUTPUTS["DwClusterArn"].replace(LIVE, SPARE)]
        assert ids()[LIVE] == before[LIVE]
        assert (restored(LIVE), restored(SPARE)) == ((False, False), (True, True))

    def test_its_owner_has_the_password_of_the_owners_secret(self) -> None:
        """Not that of the writer, who owns no table: the operations function connects as the owner."""
        do("snapshot", "build")
        cluster = rds_backends["123456789012"][REGION].clusters[SPARE]
        assert vars(cluster)["_master_user_password"] == "very-secret-words"  # moto gives it in no other way
        ((*_, url, _, _, _, _),) = do("validate")
        assert ":secret:clickstream-" in url

    def test_validate_compares_its_rows_with_raw_up_to_the_snapshot(self) -> None:
        """Events since then have no row there."""
        do("snapshot", "build")
        ((*_, module, command, source, bucket, dw, url, _, start, _, end),) = do("validate")
        assert (module, command, source, bucket, dw) == ("analysis", "validate", "--source", "s3://raw-of-prod", "--dw")
        assert url.startswith(
            f"rds-data://clickstream_dw?cluster={OUTPUTS['DwClusterArn'].replace(LIVE, SPARE)}&secret=arn:"
        )
        assert datetime.now(UTC) - timedelta(hours=2) < datetime.fromisoformat(end) <= datetime.now(UTC)
        assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(days=7)

    def test_after_a_swap_it_is_still_the_restored_one_that_is_compared(self) -> None:
        """Under the live one's name."""
        do("snapshot", "build", "swap")
        (command,) = do("validate")
        assert f"cluster={OUTPUTS['DwClusterArn']}&" in " ".join(command)

    def test_a_finding_of_validate_ends_the_command(self) -> None:
        """With its exit code."""
        do("snapshot", "build")
        with pytest.raises(SystemExit, match="1"):
            do("validate", code=1)

    def test_it_leaves_nothing(self) -> None:
        """Neither the copy nor the snapshot; the live warehouse is the one that was there."""
        before = ids()
        do("snapshot", "build", "remove")
        assert ids() == before
        assert (list(instances()), snapshots()) == ([f"{LIVE}-1"], [])

    def test_a_second_time_changes_nothing(self) -> None:
        """Each step, right after itself."""
        do("snapshot", "snapshot", "build", "build")
        built = ids()
        do("swap", "swap")
        assert ids() == {LIVE: built[SPARE], SPARE: built[LIVE]}
        do("back", "back")
        assert ids() == built
        do("remove", "remove")
        assert ids() == {LIVE: built[LIVE]}


@pytest.mark.slow
@pytest.mark.usefixtures("aws")
class TestSwap:
    def test_the_restored_one_is_live_and_protected(self) -> None:
        """Under the live one's names, of cluster and instance; the former one is beside it."""
        do("snapshot", "build")
        before = ids()
        do("swap")
        assert ids() == {LIVE: before[SPARE], SPARE: before[LIVE]}
        assert (restored(LIVE), restored(SPARE)) == ((True, True), (False, False))
        assert clusters()[LIVE]["DeletionProtection"] is True

    def test_its_end_deletes_the_former_one_and_leaves_its_last_snapshot(self) -> None:
        """The next restoration can begin: the live one does not count as restored any more."""
        do("snapshot", "build")
        former = ids()[LIVE]
        do("swap", "remove")
        assert list(clusters()) == [LIVE]
        assert snapshots() == [f"clickstream-prod-warehouse-{former.lower()}"]
        assert restored(LIVE) == (False, False)
        do("snapshot", "build", "swap")

    def test_make_destroy_finds_that_snapshot(self) -> None:
        """By the beginning of its name."""
        text = (ROOT / "infra" / "destroy.sh").read_text()
        assert "starts_with(DBClusterSnapshotIdentifier, 'clickstream-$stage-warehouse-')" in text

    def test_a_restored_one_that_is_live_is_not_restored_over(self) -> None:
        """First the earlier restoration has to end."""
        do("snapshot", "build", "swap")
        with pytest.raises(RestoreError, match="end that restoration"):
            do("build")

    def test_half_a_swap_is_not_removed(self) -> None:
        """The live warehouse might be the one beside."""
        do("snapshot", "build")
        boto3.client("rds").modify_db_cluster(DBClusterIdentifier=LIVE, NewDBClusterIdentifier=PARKED)
        with pytest.raises(RestoreError, match="a swap has not ended"):
            do("remove")


@pytest.mark.slow
@pytest.mark.usefixtures("aws")
class TestFailures:
    @pytest.mark.parametrize("steps", [("swap",), ("swap", "back"), ("swap", "remove")])
    @pytest.mark.parametrize("failing", range(7))
    def test_a_step_that_failed_at_any_call_goes_on(self, steps: tuple[str, ...], failing: int) -> None:
        """With the same end as without the failure: whatever it has renamed or deleted is not done twice."""
        do("snapshot", "build")
        before = ids()
        *first, last = steps
        do(*first)
        calls, change = count(), Rds.change

        def fail(self: Rds, operation: str, **arguments: Any) -> None:
            if next(calls) == failing:
                raise RestoreError("the network is gone")
            change(self, operation, **arguments)

        with patch.object(Rds, "change", fail):
            try:
                do(last)
            except RestoreError:
                do(last)
        swapped = {LIVE: before[SPARE], SPARE: before[LIVE]}
        assert ids() == {"swap": swapped, "back": before, "remove": {LIVE: before[SPARE]}}[last]
        if last != "remove":
            assert restored(SPARE) == ((False, False) if last == "swap" else (True, True))

    def test_a_refusal_of_aws_is_said_with_what_to_do(self) -> None:
        """In its own words."""
        refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "CreateDBClusterSnapshot")
        with patch("botocore.client.BaseClient._make_api_call", side_effect=refusal):
            done = CliRunner().invoke(main, ["prod"])
        assert done.exit_code == 2
        assert "not you" in done.stderr

    def test_an_old_snapshot_is_not_restored_unnoticed(self) -> None:
        """One of an earlier drill may be left; if it is named, it is meant."""
        do("snapshot")
        later = datetime.now(UTC) + timedelta(days=3)
        with patch("infra.restore.steps.datetime") as clock:
            clock.now.return_value = later
            with pytest.raises(RestoreError, match=r"is 3 days old: delete it with STEP=remove"):
                do("snapshot")
            do("snapshot", snapshot="clickstream-prod-restore")

    @pytest.mark.parametrize(
        ("stage", "arguments", "problem"),
        [
            ("nowhere", [], "there is no stage nowhere (there are: dev, prod"),
            ("dev", [], "stage dev has no Aurora warehouse of its own here (no output DwClusterArn"),
            ("prod", ["--snapshot", "gone"], "there is no snapshot gone: 'aws rds describe-db-cluster-snapshots"),
            ("prod", ["validate"], "there is no snapshot clickstream-prod-restore: run STEP=snapshot"),
            ("prod", ["snapshot", "validate"], "there is no restored warehouse: run STEP=build first"),
            ("prod", ["swap"], f"a swap needs the original and a restored one, but there are: {LIVE}"),
            ("prod", ["fly"], "'fly' is not one of"),
        ],
    )
    def test_what_is_missing_is_said(self, stage: str, arguments: list[str], problem: str) -> None:
        """With what to do, and exit code 2."""
        done = CliRunner().invoke(main, [stage, *arguments])
        assert (done.exit_code, problem in done.stderr) == (2, True), done.stderr


class TestRenames:
    @pytest.mark.parametrize(
        ("there", "wanted", "moves"),
        [
            ({LIVE: False, SPARE: True}, True, [(LIVE, PARKED), (SPARE, LIVE), (PARKED, SPARE)]),
            ({PARKED: False, SPARE: True}, True, [(SPARE, LIVE), (PARKED, SPARE)]),
            ({PARKED: False, LIVE: True}, True, [(PARKED, SPARE)]),
            ({SPARE: False, LIVE: True}, True, []),
            ({SPARE: False, LIVE: True}, False, [(LIVE, PARKED), (SPARE, LIVE), (PARKED, SPARE)]),
            ({PARKED: False, SPARE: True}, False, [(PARKED, LIVE)]),
            ({PARKED: False, LIVE: True}, False, [(LIVE, SPARE), (PARKED, LIVE)]),
            ({LIVE: False, SPARE: True}, False, []),
        ],
    )
    def test_from_every_state_the_wanted_one_becomes_live(
        self, there: dict[str, bool], *, wanted: bool, moves: list[tuple[str, str]]
    ) -> None:
        """And no rename takes a name that is in use."""
        found = renames(there, NAMES, is_restored_wanted=wanted)
        state = dict(there)
        for old, new in found:
            assert new not in state
            state[new] = state.pop(old)
        assert state == {LIVE: wanted, SPARE: not wanted}
        assert len(found) == len(moves)


@pytest.mark.slow
@pytest.mark.usefixtures("aws")
class TestDryRun:
    def test_it_prints_each_call_and_makes_none(self) -> None:
        """As the AWS CLI takes it, but for the password; with what it costs."""
        done = CliRunner().invoke(main, ["prod", "--dry-run"])
        assert done.exit_code == 0, done.output
        assert re.findall(r"^   aws rds (\S+)", done.output, re.MULTILINE) == [
            "create-db-cluster-snapshot",
            "restore-db-cluster-from-snapshot",
            "modify-db-cluster",
            "create-db-instance",
            "enable-http-endpoint",
        ]
        assert "--vpc-security-group-ids sg-warehouse" in done.output
        assert "costs at least 0.06 dollars an hour until STEP=remove" in done.output
        assert "python -m analysis validate --source s3://raw-of-prod" in done.output
        assert "very-secret-words" not in done.output
        assert (list(clusters()), snapshots()) == ([LIVE], [])

    def test_a_swap_is_shown_rename_by_rename(self) -> None:
        """Clusters first, and then instances."""
        do("snapshot", "build")
        before = ids()
        done = CliRunner().invoke(main, ["prod", "swap", "--dry-run"])
        moves = re.findall(
            r"aws rds modify-db-(\w+) --db-\w+-identifier (\S+) --new-db-\w+-identifier (\S+)", done.output
        )
        expected = [(LIVE, PARKED), (SPARE, LIVE), (PARKED, SPARE)]
        assert moves == [
            *(("cluster", old, new) for old, new in expected),
            *(("instance", f"{old}-1", f"{new}-1") for old, new in expected),
        ]
        assert ids() == before

    def test_a_call_is_written_as_the_command_line_takes_it(self) -> None:
        """Lists, JSON, switches, and words with blanks."""
        arguments = {"DBClusterIdentifier": "a b", "ApplyImmediately": True, "DeletionProtection": False}
        line = command_line("modify_db_cluster", arguments | {"Tags": [{"Key": "a"}], "MasterUserPassword": "x"})
        assert line == (
            "aws rds modify-db-cluster --db-cluster-identifier 'a b' --apply-immediately --no-deletion-protection "
            """--tags '{"Key": "a"}' --master-user-password …"""
        )
