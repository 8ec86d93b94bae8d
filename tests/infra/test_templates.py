"""What the templates of infra/ promise, read from them; that AWS would take them is for cfn-lint to say."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from chalicelib import ingest, log
from chalicelib.projection import messages, projector
from chalicelib.projection.batch import READ_SECONDS, SLICE_OBJECTS
from chalicelib.projection.reconciler.run import METRICS
from chalicelib.settings import Settings
from chalicelib.storage import CONFIG, RawObject
from chalicelib.warehouse.client import Warehouse
from emulator.triggers.messages import batch_of
from emulator.triggers.notification import object_created
from infra.costs.prices import PRICES
from tests.support.aws.stacks import TEMPLATES, template, template_file
from tests.support.stack_process import ROOT

INFRA = ROOT / "infra"
STAGES = sorted(path.stem for path in (INFRA / "stages").glob("*.json"))
# What the scripts and infra.render take from a stage's settings; the rest are parameters of templates.
NO_PARAMETERS = {
    "Region",
    "AllowedOrigins",
    "AllowedHeaders",
    "Warehouse",
    "DwSecretArn",
    "DwParameterName",
    "ApiKeySha256",
    "WarehouseCa",
    "Runtime",
    "ReserveConcurrency",
    "MaxEventBytes",
}
# Settings that are outputs, too: whoever needs such a bucket or database takes what the stack has made.
MADE_BY_NAME = {"RawBucketName", "AssetBucketName", "LakeBucketName", "LakeDatabaseName"}
# Statements that let one service of AWS in, from one resource of this account only.
FROM_SERVICES = ("OnlyTheRawBucket", "OnlyThisDistribution")
RESOURCES = {name: template(name)["Resources"] for name in TEMPLATES}


def resources(type_: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of this type, by its template and name."""
    return {
        f"{name}.{logical}": resource["Properties"]
        for name, each in RESOURCES.items()
        for logical, resource in each.items()
        if resource["Type"] == type_
    }


def parameters() -> dict[str, dict[str, Any]]:
    """Every parameter of every template."""
    return {key: value for name in TEMPLATES for key, value in template(name)["Parameters"].items()}


def outputs() -> set[str]:
    return {key for name in TEMPLATES for key in template(name).get("Outputs", {})}


class TestTemplates:
    @pytest.mark.slow
    def test_cfn_lint_finds_nothing(self) -> None:
        """In regions of three continents, with no rule left out."""
        command = [
            str(Path(sys.executable).with_name("cfn-lint")),
            *map(str, sorted((INFRA / "templates").glob("**/*.yaml"))),
        ]
        regions = ["--regions", "eu-central-1", "us-east-1", "ap-southeast-2"]
        done = subprocess.run([*command, *regions], cwd=INFRA, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        assert not any("cfn-lint" in template_file(name).read_text() for name in TEMPLATES)

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_it_can_be_passed_on_as_it_is(self, name: str) -> None:
        """CloudFormation takes larger templates from a bucket only, not from a command."""
        assert template_file(name).stat().st_size <= 51_200

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_everything_is_explained(self, name: str) -> None:
        """The template, each parameter and each output."""
        loaded = template(name)
        for each in (loaded, *loaded["Parameters"].values(), *loaded.get("Outputs", {}).values()):
            assert each["Description"]

    @pytest.mark.parametrize(
        "path", [*(INFRA / "templates").glob("**/*.yaml"), *INFRA.glob("*.sh"), *INFRA.glob("stages/*")], ids=str
    )
    def test_nothing_is_of_one_account_or_region(self, path: Path) -> None:
        """No account number, no region, no partition."""
        assert (
            re.findall(r"\b\d{12}\b|\b[a-z]{2}-(?:north|south|east|west|central)\w*-\d|arn:aws", path.read_text()) == []
        )

    def test_a_parameter_means_the_same_everywhere(self) -> None:
        """Templates that share one declare it alike."""
        declared: dict[str, Any] = {}
        for name in TEMPLATES:
            for key, value in template(name)["Parameters"].items():
                same = {word: value.get(word) for word in ("Default", "AllowedPattern", "AllowedValues")}
                if key != "RawBucketName":  # checked where the bucket is made
                    assert declared.setdefault(key, same) == same

    @pytest.mark.parametrize("stage", STAGES)
    def test_a_stage_sets_every_parameter(self, stage: str) -> None:
        """And nothing else: CloudFormation would keep the former value of one that is left out."""
        settings = json.loads((INFRA / "stages" / f"{stage}.json").read_text())
        assert settings.keys() - NO_PARAMETERS == parameters().keys() - {"Stage", "CompactorZip"} - (
            outputs() - MADE_BY_NAME
        )
        assert settings.keys() >= NO_PARAMETERS

    @pytest.mark.parametrize("stage", STAGES)
    def test_a_stage_sets_what_the_templates_allow(self, stage: str) -> None:
        """By their patterns and values."""
        for key, value in json.loads((INFRA / "stages" / f"{stage}.json").read_text()).items():
            parameter = parameters().get(key, {})
            assert re.fullmatch(parameter.get("AllowedPattern", ".*"), str(value)) or value == "none"
            assert value in parameter.get("AllowedValues", [value])

    def test_stages_share_no_name(self) -> None:
        """They can be in one account."""
        names = [
            value
            for stage in STAGES
            for key, value in json.loads((INFRA / "stages" / f"{stage}.json").read_text()).items()
            if key.endswith("Name") and value
        ]
        assert len(names) == len(set(names))


class TestProd:
    """The file of the stage for a shop, as it is committed."""

    PROD = json.loads((INFRA / "stages" / "prod.json").read_text())

    def test_what_is_deleted_by_mistake_can_be_fetched_back(self) -> None:
        """Versions of raw events, and a warehouse that no command deletes just so."""
        assert self.PROD["RawVersioning"] == "yes"
        assert self.PROD["WarehouseDeletionProtection"] == "true"
        assert self.PROD["WarehouseBackupDays"] >= 7

    def test_events_are_small_and_costs_are_watched(self) -> None:
        """64 KiB an event, at the throttle's rate, are a sixteenth of what 1 MiB could cost."""
        assert self.PROD["MaxEventBytes"] == 64 * 1024
        assert self.PROD["BudgetDollars"] > 0

    def test_nobody_is_woken_because_nobody_shops(self) -> None:
        """Silence is an alarm only in the hours in which the shop expects visitors."""
        assert self.PROD["NoEventsMinutes"] > 0
        assert self.PROD["OpenHours"] != "0-24"

    def test_the_address_of_alarms_has_to_be_named(self) -> None:
        """None is committed, and `make deploy` refuses an empty one."""
        assert self.PROD["AlarmEmail"] == ""


class TestStorage:
    def test_buckets_are_private_and_encrypted(self) -> None:
        """No public access of any kind, no access control lists, encryption at rest."""
        for bucket in resources("AWS::S3::Bucket").values():
            assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
            assert len(bucket["PublicAccessBlockConfiguration"]) == 4
            assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
            assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    def test_buckets_and_queue_are_reached_over_tls_only(self) -> None:
        """Whoever asks, whatever for."""
        policies = [*resources("AWS::S3::BucketPolicy").values(), *resources("AWS::SQS::QueuePolicy").values()]
        assert len(policies) == len(resources("AWS::S3::Bucket")) + len(resources("AWS::SQS::Queue"))
        for policy in policies:
            statement, *others = policy["PolicyDocument"]["Statement"]
            assert [other["Effect"] for other in others if other["Sid"] not in FROM_SERVICES] == []
            assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
            assert statement["Action"] in ("s3:*", "sqs:*")
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_no_stack_deletes_raw_events(self) -> None:
        """The bucket stays when its stack goes, or when another name is set."""
        bucket = RESOURCES["raw"]["RawBucket"]
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_no_stack_deletes_the_lake(self) -> None:
        """Neither its files nor the database that names them, and its bucket keeps no versions of erased people."""
        for resource in (RESOURCES["lake"]["LakeBucket"], RESOURCES["lake"]["LakeDatabase"]):
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        assert "VersioningConfiguration" not in RESOURCES["lake"]["LakeBucket"]["Properties"]

    def test_results_of_athena_expire(self) -> None:
        """They may hold personal data, and are where nobody can put them elsewhere."""
        rules = RESOURCES["lake"]["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        (expiring,) = [rule for rule in rules if "ExpirationInDays" in rule]
        (group,) = resources("AWS::Athena::WorkGroup").values()
        configuration = group["WorkGroupConfiguration"]
        assert configuration["EnforceWorkGroupConfiguration"] is True
        assert (
            configuration["ResultConfiguration"]["OutputLocation"]["Fn::Sub"]
            == f"s3://${{LakeBucket}}/{expiring['Prefix']}"
        )

    def test_only_large_objects_move_to_cheaper_storage(self) -> None:
        """One event would cost more there."""
        rules = RESOURCES["raw"]["RawBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        (moving,) = [rule for rule in rules if "Transitions" in rule]
        assert int(moving["ObjectSizeGreaterThan"]) == 128 * 1024

    def test_raw_events_expire_only_if_that_is_said(self) -> None:
        """By default never."""
        rules = RESOURCES["raw"]["RawBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        expiring = [rule for rule in rules if "ExpirationInDays" in json.dumps(rule)]
        assert [rule["Fn::If"][0] for rule in expiring] == ["IsExpiring"]
        assert parameters()["RawExpireAfterDays"]["Default"] == 0

    def test_queues_are_encrypted(self) -> None:
        """By SQS's own key."""
        assert {queue["SqsManagedSseEnabled"] for queue in resources("AWS::SQS::Queue").values()} == {True}

    @pytest.mark.parametrize("name", ["base.FailureQueue", "queue.DeadLetters"])
    def test_what_failed_for_good_waits_for_two_weeks(self, name: str) -> None:
        """SQS's most."""
        assert resources("AWS::SQS::Queue")[name]["MessageRetentionPeriod"] == 14 * 24 * 60 * 60

    def test_every_log_ends(self) -> None:
        """Those of the functions, as Lambda names them, of the API, and of the compaction."""
        groups = resources("AWS::Logs::LogGroup").values()
        assert [group["RetentionInDays"] for group in groups] == [{"Ref": "LogRetentionDays"}] * 6
        assert {group["LogGroupName"]["Fn::Sub"] for group in groups} >= {
            "/aws/lambda/clickstream-${Stage}",
            "/aws/lambda/clickstream-${Stage}-projector",
            "/aws/lambda/clickstream-${Stage}-operations",
            "/aws/lambda/clickstream-${Stage}-reconciler",
        }


class TestQueue:
    QUEUE = RESOURCES["queue"]["Notifications"]["Properties"]
    BATCHES = RESOURCES["mapping"]["Batches"]["Properties"]

    def test_only_the_raw_bucket_of_this_account_may_send(self) -> None:
        """And nobody else: a bucket's name can pass to another account."""
        allowed = [
            statement
            for policy in resources("AWS::SQS::QueuePolicy").values()
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        ]
        (statement,) = allowed
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        assert (statement["Action"], statement["Resource"]) == (
            "sqs:SendMessage",
            {"Fn::GetAtt": ["Notifications", "Arn"]},
        )
        assert statement["Condition"] == {
            "ArnEquals": {"aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${RawBucketName}"}},
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        }

    def test_a_failed_object_delays_no_other(self) -> None:
        """Only the messages that the function names come again."""
        assert self.BATCHES["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    @pytest.mark.parametrize("stage", STAGES)
    def test_a_batch_is_not_given_out_twice_while_it_is_worked_on(self, stage: str) -> None:
        """AWS asks for six times the function's timeout, and the window."""
        config = json.loads((ROOT / "chalice_app" / ".chalice" / "config.json").read_text())
        timeout = config["stages"][stage]["lambda_functions"]["projector"]["lambda_timeout"]
        window = parameters()["QueueWindowSeconds"]["MaxValue"]
        assert self.QUEUE["VisibilityTimeout"] >= 6 * timeout + window

    @pytest.mark.parametrize("stage", STAGES)
    def test_what_is_read_becomes_rows_before_the_timeout(self, stage: str) -> None:
        """After READ_SECONDS at most the tries of one more read follow."""
        config = json.loads((ROOT / "chalice_app" / ".chalice" / "config.json").read_text())
        timeout = config["stages"][stage]["lambda_functions"]["projector"]["lambda_timeout"]
        tries = CONFIG.retries["total_max_attempts"] * (CONFIG.connect_timeout + CONFIG.read_timeout)
        assert READ_SECONDS + tries < timeout

    def test_a_warehouse_may_be_away_for_an_hour(self) -> None:
        """A message is tried so often before it is a dead letter. It lives longer as one than it did before."""
        policy = self.QUEUE["RedrivePolicy"]
        assert policy["maxReceiveCount"] * self.QUEUE["VisibilityTimeout"] > 3600
        assert policy["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        dead = RESOURCES["queue"]["DeadLetters"]["Properties"]
        assert dead["MessageRetentionPeriod"] > self.QUEUE["MessageRetentionPeriod"]
        assert dead["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"

    def test_copies_are_limited_without_a_reservation(self) -> None:
        """AWS allows from 2 to 1,000."""
        assert self.BATCHES["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "QueueConcurrency"}}
        concurrency = parameters()["QueueConcurrency"]
        assert (concurrency["MinValue"], concurrency["MaxValue"]) == (2, 1000)

    def test_a_batch_fits_into_one_transaction(self) -> None:
        """As many as SQS gives only with a window."""
        assert parameters()["QueueBatchSize"]["MaxValue"] == SLICE_OBJECTS
        assert parameters()["QueueWindowSeconds"]["MinValue"] == 1

    def test_one_failed_try_is_no_alarm(self) -> None:
        """A message that failed once comes again after the visibility timeout, and is older by then."""
        for stage in STAGES:
            settings = json.loads((INFRA / "stages" / f"{stage}.json").read_text())
            assert settings["QueueAgeSeconds"] > self.QUEUE["VisibilityTimeout"]


class TestNetwork:
    def test_nothing_comes_in(self) -> None:
        """But what the projector asks of the endpoint and of the warehouse."""
        rules = [
            rule
            for group in resources("AWS::EC2::SecurityGroup").values()
            for rule in group.get("SecurityGroupIngress", ())
        ]
        assert sorted(rule["FromPort"] for rule in rules) == [443, 5432]
        assert all(rule.keys() & {"CidrIp", "CidrIpv6"} == set() for rule in rules)

    def test_a_new_vpc_has_no_way_to_the_internet(self) -> None:
        """No gateway, no public address."""
        types = {resource["Type"] for resource in RESOURCES["network"].values()}
        assert not {type_ for type_ in types if "Gateway" in type_ or "EIP" in type_}
        assert not any(subnet.get("MapPublicIpOnLaunch") for subnet in resources("AWS::EC2::Subnet").values())

    def test_s3_is_reached_by_a_gateway_that_knows_one_bucket(self) -> None:
        """In a new VPC; others may use an existing one."""
        (condition, policy, _) = RESOURCES["network"]["S3GatewayEndpoint"]["Properties"]["PolicyDocument"]["Fn::If"]
        reading, writing = policy["Statement"]
        assert condition == "IsNew"
        assert reading["Action"] == ["s3:GetObject", "s3:ListBucket"]
        assert {resource["Fn::Sub"].rpartition(":")[2] for resource in reading["Resource"]} == {
            "${RawBucketName}",
            "${RawBucketName}/*",
        }
        assert writing["Action"] == "s3:PutObject"
        assert writing["Resource"]["Fn::Sub"].rpartition(":")[2] == "${RawBucketName}/reconciler/*"

    def test_zones_can_be_chosen(self) -> None:
        """Lambda and Aurora are not in every zone of a region."""
        for letter, number in (("A", 0), ("B", 1)):
            zone = RESOURCES["network"][f"Subnet{letter}"]["Properties"]["AvailabilityZone"]
            condition, chosen, first = zone["Fn::If"]
            assert condition == "HasZones"
            assert chosen == {"Fn::Select": [number, {"Fn::Split": [",", {"Ref": "VpcZones"}]}]}
            assert first["Fn::Select"][0] == number
        pattern = parameters()["VpcZones"]["AllowedPattern"]
        allowed = {text: bool(re.fullmatch(pattern, text)) for text in ("", "use1-az4,use1-az6", "x-1a,x-1b", "x-1a")}
        assert allowed == {"": True, "use1-az4,use1-az6": False, "x-1a,x-1b": True, "x-1a": False}


class TestWarehouse:
    def test_it_is_private_and_encrypted(self) -> None:
        """At rest and on the way."""
        (cluster,) = resources("AWS::RDS::DBCluster").values()
        (instance,) = resources("AWS::RDS::DBInstance").values()
        (group,) = resources("AWS::RDS::DBClusterParameterGroup").values()
        assert (cluster["StorageEncrypted"], instance["PubliclyAccessible"]) == (True, False)
        assert group["Parameters"] == {"rds.force_ssl": "1"}

    def test_nobody_has_seen_its_password(self) -> None:
        """Secrets Manager makes it, and CloudFormation asks for it."""
        (cluster,) = resources("AWS::RDS::DBCluster").values()
        assert cluster["MasterUserPassword"]["Fn::Sub"].startswith("{{resolve:secretsmanager:")
        assert (
            resources("AWS::SecretsManager::Secret")["warehouse.Credentials"]["GenerateSecretString"]["PasswordLength"]
            >= 30
        )

    def test_it_is_upgraded_by_nobody_else(self) -> None:
        """An automatic upgrade would leave an older version in the template, and the next deployment would fail."""
        for instance in resources("AWS::RDS::DBInstance").values():
            assert instance["AutoMinorVersionUpgrade"] is False

    def test_it_leaves_a_snapshot(self) -> None:
        """When its stack goes."""
        assert RESOURCES["warehouse"]["Cluster"]["DeletionPolicy"] == "Snapshot"


class TestApi:
    def test_ingest_answers_both_routes(self) -> None:
        """In the one payload format that Chalice reads."""
        routes = resources("AWS::ApiGatewayV2::Route")
        assert {route["RouteKey"] for route in routes.values()} == {"POST /clickstream", "OPTIONS /clickstream"}
        assert {route["Target"]["Fn::Sub"] for route in routes.values()} == {"integrations/${Ingest}"}
        (integration,) = resources("AWS::ApiGatewayV2::Integration").values()
        assert integration["PayloadFormatVersion"] == "1.0"
        assert integration["IntegrationUri"]["Fn::Sub"].endswith(":function:clickstream-${Stage}")

    def test_cors_is_the_functions(self) -> None:
        """With a configuration of its own, the API would answer in its place."""
        assert "CorsConfiguration" not in resources("AWS::ApiGatewayV2::Api")["api.HttpApi"]

    def test_a_token_is_asked_for_only_if_that_is_said_and_never_of_a_preflight(self) -> None:
        """Browsers send none then."""
        assert RESOURCES["api"]["PostRoute"]["Properties"]["AuthorizationType"] == {"Fn::If": ["HasJwt", "JWT", "NONE"]}
        assert RESOURCES["api"]["OptionsRoute"]["Properties"]["AuthorizationType"] == "NONE"
        assert parameters()["JwtIssuer"]["Default"] == ""

    def test_it_throttles_and_logs_json(self) -> None:
        """One object per request, which names the visitor's address only if the stage stores whole addresses."""
        (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
        assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
        assert stage["DefaultRouteSettings"].keys() == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
        condition, *formats = stage["AccessLogSettings"]["Format"]["Fn::If"]
        whole, rest = map(json.loads, formats)
        assert condition == "StoresWholeAddresses"
        assert whole.pop("ip") == "$context.identity.sourceIp"
        assert whole == rest
        assert rest["status"] == "$context.status"
        assert "sourceIp" not in json.dumps(rest)

    def test_the_endpoint_can_have_the_shops_own_name(self) -> None:
        """It stays the same when the API is made again, and so do the shop's pages."""
        api = RESOURCES["api"]
        assert api["Domain"]["Condition"] == api["DomainMapping"]["Condition"] == "HasDomain"
        (configuration,) = api["Domain"]["Properties"]["DomainNameConfigurations"]
        assert configuration["CertificateArn"] == {"Ref": "DomainCertificateArn"}
        assert configuration["EndpointType"] == "REGIONAL"
        assert api["DomainMapping"]["Properties"]["ApiId"] == {"Ref": "HttpApi"}
        assert api["DomainRecord"]["Condition"] == "HasZone"
        condition, own, _ = template("api")["Outputs"]["Endpoint"]["Value"]["Fn::If"]
        assert (condition, own["Fn::Sub"]) == ("HasDomain", "https://${DomainName}/clickstream")

    def test_the_smoke_test_needs_no_dns_record(self) -> None:
        """Which somebody else may still have to make."""
        assert template("api")["Outputs"]["ApiEndpoint"]["Value"]["Fn::Sub"].startswith(
            "https://${HttpApi}.execute-api."
        )
        assert 'smoke --url "$(value ApiEndpoint)"' in (INFRA / "deploy.sh").read_text()


ALARMS = resources("AWS::CloudWatch::Alarm")


def stats(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm computes with."""
    return [each for each in alarm.get("Metrics", ()) if "MetricStat" in each]


class TestBudget:
    def test_the_month_has_a_limit_that_is_told(self) -> None:
        """To the address of the alarms, when four fifths are spent, and when all of it will be."""
        (budget,) = resources("AWS::Budgets::Budget").values()
        assert budget["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "BudgetDollars"}, "Unit": "USD"}
        assert budget["Budget"]["TimeUnit"] == "MONTHLY"
        told = {
            (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
            for each in budget["NotificationsWithSubscribers"]
        }
        assert told == {("ACTUAL", 80), ("FORECASTED", 100)}
        for each in budget["NotificationsWithSubscribers"]:
            assert each["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": {"Ref": "AlarmEmail"}}]


class TestAlarms:
    def test_each_tells_one_topic(self) -> None:
        """When something is wrong, and when it is well again."""
        for alarm in ALARMS.values():
            assert alarm["AlarmActions"] == alarm["OKActions"]
            assert alarm["AlarmActions"] in ([{"Ref": "AlarmTopicArn"}], [{"Ref": "TicketTopicArn"}])

    def test_somebody_is_woken_only_for_events_that_are_not_taken(self) -> None:
        """Whatever is in raw can be projected in the morning: that is a ticket."""
        pages = {name for name, alarm in ALARMS.items() if alarm["AlarmActions"] == [{"Ref": "AlarmTopicArn"}]}
        assert pages >= {
            "monitoring.IngestErrorsAlarm",
            "monitoring.IngestThrottlesAlarm",
            "monitoring.ApiThrottlesAlarm",
            "monitoring.IngestRefusalsAlarm",
            "monitoring.NoEventsAlarm",
        }
        assert not pages & {
            "monitoring.ProjectorErrorsAlarm",
            "monitoring.ProjectorLagAlarm",
            "monitoring.FailureQueueAlarm",
            "monitoring.FailuresLostAlarm",
            "compaction.HoursLeftAlarm",
            "compaction.FailedRunsAlarm",
            "reconciler.ObjectsWithoutRowAlarm",
            "reconciler.ReconcilerStoppedAlarm",
        }

    def test_page_and_ticket_are_two_topics(self) -> None:
        """Each with its own address; tickets go to the address of alarms if they have none."""
        topics = resources("AWS::SNS::Topic")
        assert {topic["TopicName"]["Fn::Sub"] for topic in topics.values()} == {
            "clickstream-${Stage}-alarms",
            "clickstream-${Stage}-tickets",
        }
        endpoints = [each["Endpoint"] for each in resources("AWS::SNS::Subscription").values()]
        assert endpoints == [
            {"Ref": "AlarmEmail"},
            {"Fn::If": ["HasTicketEmail", {"Ref": "TicketEmail"}, {"Ref": "AlarmEmail"}]},
        ]

    def test_the_warehouse_is_watched(self) -> None:
        """Its processor, capacity, connections and storage, of the cluster that warehouse.yaml makes; as tickets."""
        alarms = resources("AWS::CloudWatch::Alarm")
        watched = {alarm["MetricName"]: alarm for alarm in alarms.values() if alarm.get("Namespace") == "AWS/RDS"}
        assert watched.keys() == {"CPUUtilization", "ACUUtilization", "DatabaseConnections", "VolumeBytesUsed"}
        cluster = RESOURCES["warehouse"]["Cluster"]["Properties"]["DBClusterIdentifier"]
        for alarm in watched.values():
            assert alarm["Dimensions"] == [{"Name": "DBClusterIdentifier", "Value": cluster}]
            assert alarm["AlarmActions"] == [{"Ref": "TicketTopicArn"}]
        assert watched["VolumeBytesUsed"]["Threshold"] == {"Fn::Sub": "${WarehouseGigabytes}000000000"}

    @pytest.mark.parametrize("name", ["IngestThrottlesAlarm", "ApiThrottlesAlarm"])
    def test_one_throttled_request_is_no_alarm(self, name: str) -> None:
        """Publishers send it again: it takes ten of them, in two of three periods of 5 minutes."""
        alarm = ALARMS[f"monitoring.{name}"]
        assert alarm["Threshold"] >= 10
        assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3, 2)

    @pytest.mark.parametrize(
        ("hours", "expected"),
        [
            ("7-21", {6: False, 7: True, 20: True, 21: False}),
            ("22-6", {21: False, 22: True, 0: True, 5: True, 6: False}),
            ("0-24", {0: True, 12: True, 23: True}),
        ],
    )
    def test_silence_is_an_alarm_in_open_hours_only(self, hours: str, expected: dict[int, bool]) -> None:
        """By CloudWatch's own arithmetic, in UTC, also for hours that go over midnight."""
        alarm = ALARMS["monitoring.NoEventsAlarm"]
        by_id = {metric["Id"]: metric for metric in alarm["Metrics"]}
        (told,) = [metric for metric in alarm["Metrics"] if metric.get("ReturnData", True) is not False]
        assert by_id["stored"]["MetricStat"]["Metric"]["MetricName"] == "StoredEvents"
        text, values = told["Expression"]["Fn::Sub"]
        for name in values:
            index, split = values[name]["Fn::Select"]
            assert split == {"Fn::Split": ["-", {"Ref": "OpenHours"}]}
            text = text.replace(f"${{{name}}}", hours.split("-")[index])
        assert re.fullmatch(parameters()["OpenHours"]["AllowedPattern"], hours)
        # Without an event, the alarm's value is 0 where silence counts, and 1 where it does not.
        names = {
            "stored": 0,
            "FILL": lambda series, value: series or value,
            "IF": lambda so, yes, no: yes if so else no,
        }
        for hour, counts in expected.items():
            known = names | {"HOUR": lambda _, hour=hour: hour}
            value = eval(text, {"__builtins__": {}}, known)  # noqa: S307  # the text is our own template's
            assert (value < alarm["Threshold"]) == counts

    def test_all_are_there(self) -> None:
        """Under these names, which mails and the runbook use."""
        names = {alarm["AlarmName"]["Fn::Sub"].removeprefix("clickstream-${Stage}-") for alarm in ALARMS.values()}
        assert names == {
            "ingest-5xx",
            "ingest-throttles",
            "api-throttles",
            "projector-errors",
            "projector-lag",
            "failure-queue",
            "failures-lost",
            "queue-age",
            "failed-objects",
            "dead-letters",
            "no-events",
            "ingest-refusals",
            "near-throttle-rate",
            "projector-events-dropped",
            "projector-event-age",
            "projector-not-invoked",
            "objects-without-row",
            "reconciler-stopped",
            "lake-hours-wait",
            "lake-run-failed",
            "warehouse-cpu",
            "warehouse-capacity",
            "warehouse-connections",
            "warehouse-storage",
        }

    def test_the_runbook_has_a_part_for_each(self) -> None:
        """It says what happened, what to do, and when it is over; for a page, also whether anything is lost."""
        text = (ROOT / "docs" / "runbook.md").read_text()
        pages, tickets = (part.split("\n### ")[1:] for part in text.split("\n## ")[-2:])
        assert len(pages) + len(tickets) == len(ALARMS)
        for topic, parts, bold in (
            ("AlarmTopicArn", pages, ["What happened", "Lost?", "Do", "Over when"]),
            ("TicketTopicArn", tickets, ["What happened", "Do", "Over when"]),
        ):
            of_topic = [alarm for alarm in ALARMS.values() if alarm["AlarmActions"] == [{"Ref": topic}]]
            names = {alarm["AlarmName"]["Fn::Sub"].removeprefix("clickstream-${Stage}-") for alarm in of_topic}
            assert {part.split("\n", 1)[0].strip("`") for part in parts} == names
            for part in parts:
                assert [each.rstrip(".") for each in re.findall(r"^\*\*([A-Z][^*]*)\*\*", part, re.MULTILINE)] == bold

    def test_only_silence_is_an_alarm_where_data_is_missing(self) -> None:
        """Nothing to project is no fault; a compaction is due every hour, the reconciler every five minutes."""
        breaching = [name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"]
        assert sorted(breaching) == [
            "compaction.HoursLeftAlarm",
            "monitoring.NoEventsAlarm",
            "reconciler.ReconcilerStoppedAlarm",
        ]

    def test_an_alarm_on_missing_rows_stays_as_it_was_while_nobody_counts(self) -> None:
        """Another alarm says that nobody counts."""
        ignoring = [name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "ignore"]
        assert ignoring == ["reconciler.ObjectsWithoutRowAlarm"]
        both = ("ObjectsWithoutRowAlarm", "ReconcilerStoppedAlarm")
        assert {ALARMS[f"reconciler.{name}"]["MetricName"] for name in both} == {"ObjectsWithoutRow"}

    def test_their_own_metrics_exist(self) -> None:
        """Made by a filter of the same namespace, or by the reconciler itself."""
        made = {
            transformation["MetricName"]
            for each in resources("AWS::Logs::MetricFilter").values()
            for transformation in each["MetricTransformations"]
        }
        inner = [each["MetricStat"]["Metric"] for alarm in ALARMS.values() for each in stats(alarm)]
        own = {
            metric["MetricName"]
            for metric in [*(alarm for alarm in ALARMS.values() if "Namespace" in alarm), *inner]
            if metric["Namespace"] == {"Fn::Sub": "clickstream/${Stage}"}
        }
        assert made <= own <= {*made, *METRICS}
        assert own - made == {"ObjectsWithoutRow"}

    def test_each_expression_uses_what_the_alarm_reads(self) -> None:
        """By the ids of its metrics; only the expression itself is judged."""
        names = ("IngestRefusalsAlarm", "NearThrottleRateAlarm")
        for alarm in (
            *(ALARMS[f"monitoring.{name}"] for name in names),
            ALARMS["reconciler.ProjectorNotInvokedAlarm"],
        ):
            (expression,) = [each for each in alarm["Metrics"] if "Expression" in each]
            text = expression["Expression"]
            used = set(re.findall(r"\b[a-z]+\b", text["Fn::Sub"] if isinstance(text, dict) else text))
            assert used == {each["Id"] for each in stats(alarm)}
            assert [each["ReturnData"] for each in stats(alarm)] == [False] * len(stats(alarm))

    def test_the_schedule_and_the_timeout_keep_two_runs_apart(self) -> None:
        """A run ends before the next one begins, and none is tried again."""
        (rule,) = [rule for name, rule in resources("AWS::Events::Rule").items() if name.startswith("reconciler.")]
        assert rule["ScheduleExpression"] == "rate(5 minutes)"
        config = json.loads((ROOT / "chalice_app" / ".chalice" / "config.json").read_text())
        for stage in config["stages"].values():
            assert stage["lambda_functions"]["reconciler"]["lambda_timeout"] < 300
        assert (
            resources("AWS::Lambda::EventInvokeConfig")["reconciler.ReconcilerInvocations"]["MaximumRetryAttempts"] == 0
        )

    def test_lambda_gives_up_on_invocations_of_the_direct_trigger_only(self) -> None:
        """Behind a queue, Lambda never gives up on an invocation, and the role may not send to the failure queue."""
        names = ("ProjectorFailures", "FailureQueueAlarm", "FailuresLostAlarm", "EventsDroppedAlarm", "EventAgeAlarm")
        assert {RESOURCES["monitoring"][name]["Condition"] for name in names} == {"IsDirect"}

    def test_what_failed_for_good_goes_to_the_queue(self) -> None:
        """After Lambda's two retries."""
        failures = resources("AWS::Lambda::EventInvokeConfig")["monitoring.ProjectorFailures"]
        assert failures["FunctionName"]["Fn::Sub"] == "clickstream-${Stage}-projector"
        assert failures["DestinationConfig"]["OnFailure"]["Destination"] == {"Ref": "FailureQueueArn"}
        assert failures["MaximumRetryAttempts"] == 2


class TestDashboard:
    BODY = re.sub(
        r"\$\{[A-Za-z:]+\}", "60", RESOURCES["dashboard"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    )
    WIDGETS: Any = json.loads(BODY)["widgets"]

    def test_it_reads_from_top_to_bottom(self) -> None:
        """First what an operator fears most; each question with its answer below it."""
        asked = [each["properties"]["markdown"].partition("\n")[0] for each in self.WIDGETS if each["type"] == "text"]
        assert asked == ["# Is it whole?", "# Is it fresh?", "# What does it cost?", "# What do the functions say?"]
        places = [(each["y"], each["x"]) for each in self.WIDGETS]
        assert places == sorted(places)

    def test_nothing_lies_over_something_else(self) -> None:
        """Each row of widgets is 24 wide and begins where the one above ends."""
        rows: dict[int, list[dict[str, Any]]] = {}
        for widget in self.WIDGETS:
            rows.setdefault(widget["y"], []).append(widget)
        below = 0
        for top, row in rows.items():
            assert top == below
            assert [each["x"] for each in row] == list(accumulate([0, *(each["width"] for each in row[:-1])]))
            assert sum(each["width"] for each in row) == 24
            below = top + row[0]["height"]

    def test_dollars_are_at_the_prices_of_the_cost_page(self) -> None:
        """Capacity, requests, PUTs and log lines: a price that changes there changes here."""
        prices = {name: price.dollars for name, price in PRICES.items()}
        (dollars,) = [each for each in self.WIDGETS if each["properties"].get("title") == "Dollars a day"]
        by_id = {each[0]["id"]: each[0]["expression"] for each in dollars["properties"]["metrics"] if len(each) == 1}
        assert by_id == {
            "aurora": f"acus * 24 * {prices['acu_hours']}",
            "api": f"requests * {prices['http_api']} / 1000000",
            "puts": f"stored * {prices['s3_puts']} / 1000000",
            "logs": f"(ingest + projector + access) * {prices['logs']} / 1000000000",
        }


KEY = "events/2026/11/24/22/e.json"


class _Storage:
    """Takes and gives one event."""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        pass

    def get(self, _bucket: str, _key: str) -> RawObject:
        return RawObject(b'{"eventName": "click"}', datetime.now(UTC))


class _Warehouse:
    """Has room for every row."""

    def insert_all(self, rows: Sequence[object]) -> list[str]:
        return ["projected"] * len(rows)

    def reject(self, bucket: str, key: str, reason: str) -> None:
        pass


class TestFilters:
    def wanted(self, template: str, name: str) -> dict[str, str]:
        """The members that a filter looks for."""
        pattern = RESOURCES[template][name]["Properties"]["FilterPattern"]
        return dict(re.findall(r'\$\.(\w+) = "(\w+)"', pattern))

    @pytest.fixture
    def lines(self, api_event: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
        """Give the lines that both functions log of one good event, and of one that is refused."""
        with (tmp_path / "log").open("w+") as file:
            monkeypatch.setattr(log, "output", file)
            ingest.handle(api_event('{"eventName": "click"}'), None, Settings(), _Storage())
            ingest.handle(api_event("no event"), None, Settings(), _Storage())
            projector.handle(object_created("bucket", KEY, 1), _Storage(), _Warehouse())
            file.seek(0)
            yield [json.loads(line) for line in file]

    def test_an_object_that_fails_is_counted(self, lines: list[dict[str, Any]], tmp_path: Path) -> None:
        """Behind a queue the projector raises nothing, so that Lambda counts no error."""
        with (tmp_path / "failed").open("w+") as file, pytest.MonkeyPatch.context() as patch:
            patch.setattr(log, "output", file)
            messages.handle(
                batch_of(object_created("bucket", KEY, 1)), _Storage(), Warehouse("postgresql://127.0.0.1:1/d")
            )
            file.seek(0)
            (line,) = [json.loads(text) for text in file]
        wanted = self.wanted("queue", "FailedObjects")
        assert line.items() >= wanted.items()
        assert not [good for good in lines if good.items() >= wanted.items()]

    @pytest.mark.parametrize(
        ("name", "component"), [("StoredEvents", "ingest"), ("RefusedEvents", "ingest"), ("LagOfRows", "projector")]
    )
    def test_they_find_what_the_functions_log(self, lines: list[dict[str, Any]], name: str, component: str) -> None:
        """The line of the good event, and the number in it."""
        properties = RESOURCES["monitoring"][name]["Properties"]
        wanted = self.wanted("monitoring", name)
        (line,) = [line for line in lines if line.items() >= wanted.items()]
        assert line["component"] == component
        value = properties["MetricTransformations"][0]["MetricValue"]
        assert value == "1" or isinstance(line[value.removeprefix("$.")], float)
