import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import trustme
from chalice.cli.factory import CLIFactory
from click.testing import CliRunner

from infra.policies import narrowed
from infra.render import APP, RenderError, main, render

OUTPUTS = {
    "Region": "eu-central-1",
    "AccountId": "123456789012",
    "Partition": "aws",
    "RawBucketName": "shop-raw",
    "AllowedOrigins": "https://shop.example",
    "DwSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:warehouse-AbCdEf",
    "DwOwnerSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:owner-AbCdEf",
    "DwReaderSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-AbCdEf",
    "DwParameterName": "",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1",
    "FailureQueueArn": "arn:aws:sqs:eu-central-1:123456789012:clickstream-dev-failures",
    "ApiKeySha256": "",
    "WarehouseCa": "",
}
QUEUE = {
    "Trigger": "sqs",
    "NotificationQueueArn": "arn:aws:sqs:eu-central-1:123456789012:clickstream-dev-notifications",
}
WITHOUT_VPC = {"SubnetIds": "", "SecurityGroupIds": ""}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give where a project is written to."""
    return tmp_path / "project"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Give a copy of the Chalice project, which a test may change."""
    ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    return Path(shutil.copytree(APP, tmp_path / "app", ignore=ignore))


def loaded(project: Path, name: str) -> Any:
    return json.loads((project / ".chalice" / name).read_text())


def resources(policy: dict[str, Any]) -> dict[str, list[str]]:
    return {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}


class TestConfig:
    def test_the_stage_knows_what_its_stacks_have_made(self, project: Path) -> None:
        """The other stage is gone; what is written down for this one stays."""
        render("dev", OUTPUTS, project)
        config, committed = loaded(project, "config.json"), json.loads((APP / ".chalice" / "config.json").read_text())
        (stage,) = config["stages"].values()
        ingest, projector, reconciler = (
            stage["lambda_functions"][name] for name in ("api_handler", "projector", "reconciler")
        )
        assert stage["environment_variables"] == {
            "RAW_BUCKET_NAME": "shop-raw",
            "ALLOWED_ORIGINS": "https://shop.example",
            "TRIGGER": "s3",
        }
        assert projector["environment_variables"] == {"DW_SECRET_ARN": OUTPUTS["DwSecretArn"]}
        assert (projector["subnet_ids"], projector["security_group_ids"]) == (["subnet-1", "subnet-2"], ["sg-1"])
        assert (reconciler["subnet_ids"], reconciler["security_group_ids"]) == (["subnet-1", "subnet-2"], ["sg-1"])
        assert reconciler["environment_variables"] == {
            "DW_SECRET_ARN": OUTPUTS["DwSecretArn"],
            "METRICS_NAMESPACE": "clickstream/dev",
        }
        assert "subnet_ids" not in ingest
        was = committed["stages"]["dev"]["lambda_functions"]["projector"]
        assert {name: projector[name] for name in was if name != "environment_variables"} == {
            name: value for name, value in was.items() if name != "environment_variables"
        }
        assert {name: value for name, value in config.items() if name != "stages"} == {
            name: value for name, value in committed.items() if name != "stages"
        }

    def test_without_a_vpc_the_projector_is_in_none(self, project: Path) -> None:
        """It reaches a warehouse on the internet, whose credentials are in Parameter Store."""
        there = WITHOUT_VPC | {"DwSecretArn": "", "DwParameterName": "/clickstream/dev/warehouse"}
        render("dev", OUTPUTS | there, project)
        projector = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]["projector"]
        assert projector["environment_variables"] == {"DW_PARAMETER_NAME": "/clickstream/dev/warehouse"}
        assert "subnet_ids" not in projector

    def test_the_operations_function_connects_as_the_owner(self, project: Path) -> None:
        """And knows the secrets of the users that it makes; the projector is the writer."""
        render("dev", OUTPUTS, project)
        functions = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]
        assert functions["operations"]["environment_variables"] == {
            "DW_SECRET_ARN": OUTPUTS["DwOwnerSecretArn"],
            "DW_WRITER_SECRET_ARN": OUTPUTS["DwSecretArn"],
            "DW_READER_SECRET_ARN": OUTPUTS["DwReaderSecretArn"],
        }
        assert functions["operations"]["subnet_ids"] == functions["projector"]["subnet_ids"]
        policies = {name: resources(loaded(project, f"policy-{name}.json")) for name in ("operations", "projector")}
        assert policies["operations"]["SecretOfWarehouse"] == [OUTPUTS["DwOwnerSecretArn"]]
        assert policies["operations"]["SecretsOfUsers"] == [OUTPUTS["DwSecretArn"], OUTPUTS["DwReaderSecretArn"]]
        assert policies["projector"]["SecretOfWarehouse"] == [OUTPUTS["DwSecretArn"]]

    def test_another_warehouse_may_have_one_user_for_everything(self, project: Path) -> None:
        """Then the operations function is that user, too, and makes no other."""
        one = {"DwOwnerSecretArn": "", "DwReaderSecretArn": "", "DwSecretArn": "", "DwParameterName": "/clickstream/dw"}
        render("dev", OUTPUTS | one, project)
        functions = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]
        assert functions["operations"]["environment_variables"] == {"DW_PARAMETER_NAME": "/clickstream/dw"}
        assert "SecretsOfUsers" not in resources(loaded(project, "policy-operations.json"))

    def test_headers_of_the_shop_are_known_to_ingest_alone(self, project: Path) -> None:
        """Without any, the function's own default holds."""
        render("prod", OUTPUTS | {"AllowedHeaders": "X-Shop-Id"}, project)
        functions = loaded(project, "config.json")["stages"]["prod"]["lambda_functions"]
        assert functions["api_handler"]["environment_variables"] == {"ALLOWED_HEADERS": "X-Shop-Id"}
        assert "ALLOWED_HEADERS" not in functions["projector"]["environment_variables"]

    def test_an_api_key_is_known_to_ingest_alone(self, project: Path) -> None:
        """By its digest."""
        render("prod", OUTPUTS | {"ApiKeySha256": "a" * 64}, project)
        functions = loaded(project, "config.json")["stages"]["prod"]["lambda_functions"]
        assert functions["api_handler"]["environment_variables"] == {"API_KEY_SHA256": "a" * 64}
        assert "API_KEY_SHA256" not in functions["projector"]["environment_variables"]

    def test_decimals_that_the_projector_would_not_take_are_not_deployed(self, project: Path) -> None:
        """It would fail at its first event."""
        with pytest.raises(RenderError, match="PriceDecimals: PRICE_DECIMALS must be a whole number from 0 to 6"):
            render("prod", OUTPUTS | {"PriceDecimals": "9"}, project)

    def test_decimals_of_prices_are_known_to_the_projector_alone(self, project: Path) -> None:
        """It makes the rows."""
        render("prod", OUTPUTS | {"PriceDecimals": "2"}, project)
        functions = loaded(project, "config.json")["stages"]["prod"]["lambda_functions"]
        assert functions["projector"]["environment_variables"]["PRICE_DECIMALS"] == "2"
        assert "PRICE_DECIMALS" not in functions["api_handler"]["environment_variables"]

    def test_a_size_of_events_in_the_configuration_reaches_the_function(self, project: Path, app: Path) -> None:
        """Whatever else rendering writes down for that function."""
        config = loaded(app, "config.json")
        config["stages"]["dev"]["lambda_functions"]["api_handler"]["environment_variables"] = {"MAX_EVENT_BYTES": "9"}
        config["stages"]["dev"]["lambda_functions"]["projector"]["environment_variables"]["EXTRA"] = "kept"
        (app / ".chalice" / "config.json").write_text(json.dumps(config))
        render("dev", OUTPUTS | {"AllowedHeaders": "X-Shop-Id"}, project, app)
        functions = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]
        assert functions["api_handler"]["environment_variables"] == {
            "MAX_EVENT_BYTES": "9",
            "ALLOWED_HEADERS": "X-Shop-Id",
        }
        # The parameter that the configuration names is for `chalice deploy` alone: here the warehouse has a secret.
        assert functions["projector"]["environment_variables"] == {
            "DW_SECRET_ARN": OUTPUTS["DwSecretArn"],
            "EXTRA": "kept",
        }

    def test_limits_and_addresses_are_the_stages(self, project: Path) -> None:
        """Ingest alone knows them; an empty setting keeps ingest's own default."""
        render("prod", OUTPUTS | {"MaxEventBytes": "65536", "StoreIp": "truncated"}, project)
        functions = loaded(project, "config.json")["stages"]["prod"]["lambda_functions"]
        assert functions["api_handler"]["environment_variables"] == {
            "MAX_EVENT_BYTES": "65536",
            "STORE_IP": "truncated",
        }

    @pytest.mark.parametrize(
        ("settings", "may_pause"),
        [
            ({"Warehouse": "aurora", "WarehouseMinCapacity": "0"}, True),
            ({"Warehouse": "aurora", "WarehouseMinCapacity": "0.0"}, True),
            ({"Warehouse": "aurora", "WarehouseMinCapacity": "0.5"}, False),
            ({"Warehouse": "none", "WarehouseMinCapacity": "0"}, False),
            ({}, False),
        ],
    )
    def test_the_projector_knows_that_its_warehouse_may_pause(
        self, settings: dict[str, str], *, may_pause: bool, project: Path
    ) -> None:
        """An Aurora whose least capacity is 0."""
        render("dev", OUTPUTS | settings, project)
        projector = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]["projector"]
        assert ("DW_MAY_PAUSE" in projector["environment_variables"]) == may_pause

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"StoreIp": "no"}, "STORE_IP must be full, truncated or none, not 'no'"),
            ({"MaxEventBytes": "64 KiB"}, "MAX_EVENT_BYTES must be a whole number above 0, not '64 KiB'"),
        ],
    )
    def test_what_ingest_would_not_take_is_not_deployed(
        self, settings: dict[str, str], problem: str, project: Path
    ) -> None:
        """It would fail at its first event."""
        with pytest.raises(RenderError, match=problem):
            render("prod", OUTPUTS | settings, project)

    def test_the_rest_api_is_in_its_region(self, project: Path) -> None:
        """Edge-optimized ones, Chalice's default, are not to be had in GovCloud and China."""
        render("prod", OUTPUTS, project)
        assert CLIFactory(str(project)).create_config_obj("prod").api_gateway_endpoint_type == "REGIONAL"

    @pytest.mark.parametrize(("unreserved", "reserved"), [("1000", 5), ("105", 5), ("104", None), ("10", None)])
    def test_nothing_is_reserved_of_too_little(
        self, unreserved: str, reserved: int | None, project: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """New accounts may run ten functions at once, and in others the rest may be reserved already; it is said."""
        render("dev", OUTPUTS | {"UnreservedConcurrency": unreserved}, project)
        projector = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]["projector"]
        assert projector.get("reserved_concurrency") == reserved
        assert ("too few to reserve 5" in capsys.readouterr().out) == (reserved is None)

    def test_behind_a_queue_nothing_is_reserved_for_the_projector(self, project: Path) -> None:
        """The event source mapping limits it. Both functions know the trigger, because both import the app."""
        render("prod", OUTPUTS | QUEUE | {"UnreservedConcurrency": "1000"}, project)
        stage = loaded(project, "config.json")["stages"]["prod"]
        assert stage["environment_variables"]["TRIGGER"] == "sqs"
        assert "reserved_concurrency" not in stage["lambda_functions"]["projector"]
        assert stage["lambda_functions"]["api_handler"]["reserved_concurrency"] == 100

    def test_nothing_is_reserved_if_the_stage_says_so(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Somebody else may need the account's concurrency."""
        render("dev", OUTPUTS | {"UnreservedConcurrency": "1000", "ReserveConcurrency": "no"}, project)
        projector = loaded(project, "config.json")["stages"]["dev"]["lambda_functions"]["projector"]
        assert "reserved_concurrency" not in projector
        assert capsys.readouterr().out == ""

    def test_chalices_own_api_is_closed(self, project: Path) -> None:
        """To everybody, whatever the route; the committed configuration alone leaves it open."""
        render("prod", OUTPUTS, project)
        stage = loaded(project, "config.json")["stages"]["prod"]
        (statement,) = loaded(project, stage["api_gateway_policy_file"])["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"], statement["Resource"]) == (
            "Deny",
            "*",
            "execute-api:Invoke",
            "execute-api:/*",
        )

    def test_the_code_is_that_of_the_repository(self, project: Path) -> None:
        """Every module, and what it requires."""
        render("dev", OUTPUTS, project)
        names = [
            "app.py",
            "requirements.txt",
            "requirements.lock",
            *(path.relative_to(APP).as_posix() for path in APP.glob("chalicelib/**/*.py")),
        ]
        assert all((project / name).read_bytes() == (APP / name).read_bytes() for name in names)
        assert not list(project.rglob("__pycache__"))


class TestPolicies:
    def test_each_statement_names_this_stages_resources(self, project: Path) -> None:
        """Of one account, one region, one bucket, one function."""
        render("dev", OUTPUTS, project)
        logs = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/clickstream-dev"
        assert resources(loaded(project, "policy-ingest.json")) == {
            "RawEvents": ["arn:aws:s3:::shop-raw/events/*"],
            "Logs": [f"{logs}:*"],
            "Traces": ["*"],
        }
        assert resources(loaded(project, "policy-projector.json")) == {
            "RawEvents": ["arn:aws:s3:::shop-raw/events/*"],
            "RawBucket": ["arn:aws:s3:::shop-raw"],
            "SecretOfWarehouse": [OUTPUTS["DwSecretArn"]],
            "FailureQueue": [OUTPUTS["FailureQueueArn"]],
            "NetworkInterfaces": ["*"],
            "Logs": [f"{logs}-projector:*"],
            "Traces": ["*"],
        }
        assert resources(loaded(project, "policy-reconciler.json")) == {
            "RawEvents": ["arn:aws:s3:::shop-raw/events/*"],
            "ReconcilerMemory": ["arn:aws:s3:::shop-raw/reconciler/*"],
            "RawBucket": ["arn:aws:s3:::shop-raw"],
            "SecretOfWarehouse": [OUTPUTS["DwSecretArn"]],
            "NetworkInterfaces": ["*"],
            "Logs": [f"{logs}-reconciler:*"],
            "Traces": ["*"],
        }

    def test_what_the_stage_does_not_have_is_not_allowed(self, project: Path) -> None:
        """No VPC, no network interfaces; a parameter, no secret."""
        there = WITHOUT_VPC | {"DwSecretArn": "", "DwParameterName": "/shop/warehouse", "FailureQueueArn": ""}
        render("dev", OUTPUTS | there | {"Partition": "aws-cn"}, project)
        found = resources(loaded(project, "policy-projector.json"))
        assert found.keys() == {"RawEvents", "RawBucket", "ParameterOfWarehouse", "Logs", "Traces"}
        (parameter,) = found["ParameterOfWarehouse"]
        assert parameter == "arn:aws-cn:ssm:eu-central-1:123456789012:parameter/shop/warehouse"

    def test_of_the_two_queues_only_that_of_the_trigger_is_allowed(self, project: Path) -> None:
        """Lambda gives up on an invocation only if S3 itself invokes."""
        render("dev", OUTPUTS | QUEUE, project)
        found = resources(loaded(project, "policy-projector.json"))
        assert found["NotificationQueue"] == [QUEUE["NotificationQueueArn"]]
        assert "FailureQueue" not in found

    @pytest.mark.parametrize(("trigger", "other"), [({}, "NotificationQueue"), (QUEUE, "FailureQueue")])
    def test_actions_and_effects_stay(self, trigger: dict[str, str], other: str) -> None:
        """Only what a statement is about is narrowed."""
        committed = json.loads((APP / ".chalice" / "policy-projector.json").read_text())
        there = OUTPUTS | {"DwParameterName": "/shop/warehouse"} | trigger
        kept = [statement for statement in committed["Statement"] if statement["Sid"] != other]
        rest = [
            [{name: value for name, value in statement.items() if name != "Resource"} for statement in policy]
            for policy in (kept, narrowed(committed, there, "f")["Statement"])
        ]
        assert rest[0] == rest[1]

    def test_a_statement_that_nobody_knows_is_not_passed_on(self) -> None:
        """Whoever adds one says what it is about in each stage."""
        policy = {"Statement": [{"Sid": "New", "Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}]}
        with pytest.raises(KeyError, match="New"):
            narrowed(policy, OUTPUTS, "f")


class TestAuthorities:
    def test_certificates_go_to_where_the_function_looks(self, project: Path, tmp_path: Path) -> None:
        """Chalice puts the contents of vendor/ beside app.py."""
        pem = tmp_path / "fetched"
        trustme.CA().cert_pem.write_to_path(pem)
        render("dev", OUTPUTS | {"WarehouseCa": str(pem)}, project)
        assert (project / "vendor" / "warehouse-ca.pem").read_bytes() == pem.read_bytes()

    def test_a_page_instead_of_certificates_is_refused(self, project: Path, tmp_path: Path) -> None:
        """As a network that wants a log-in gives."""
        pem = tmp_path / "fetched"
        pem.write_text("<html>")
        with pytest.raises(RenderError, match="is no PEM file of certificates"):
            render("dev", OUTPUTS | {"WarehouseCa": str(pem)}, project)


class TestCommand:
    @pytest.mark.parametrize(
        ("stage", "made", "problem"),
        [
            ("test", "{}", "the outputs lack Region, AccountId, Partition, RawBucketName, AllowedOrigins"),
            ("test", json.dumps(OUTPUTS), "config.json has no stage test (it has dev, prod): copy one of them"),
            ("dev", json.dumps(OUTPUTS | {"DwSecretArn": ""}), "need either DwSecretArn or DwParameterName"),
            ("dev", json.dumps(OUTPUTS | {"DwParameterName": "/p"}), "need either DwSecretArn or DwParameterName"),
            ("dev", json.dumps(OUTPUTS | {"SubnetIds": ""}), "both SubnetIds and SecurityGroupIds, or neither"),
            ("dev", json.dumps(OUTPUTS | {"Trigger": "SQS"}), "Trigger is s3 or sqs, not 'SQS'"),
            ("dev", json.dumps(OUTPUTS | {"Trigger": "sqs"}), "Trigger sqs needs NotificationQueueArn"),
            ("dev", "nonsense", "is not JSON"),
        ],
    )
    def test_what_is_missing_is_said(self, stage: str, made: str, problem: str, project: Path, tmp_path: Path) -> None:
        """In one line, exit code 2, and nothing is written."""
        outputs = tmp_path / "outputs.json"
        outputs.write_text(made)
        done = CliRunner().invoke(main, [stage, "--outputs", str(outputs), "--out", str(project)])
        assert done.exit_code == 2
        assert problem in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not project.exists()

    def test_a_project_is_written(self, project: Path, tmp_path: Path) -> None:
        """As `make deploy` asks for it."""
        outputs = tmp_path / "outputs.json"
        outputs.write_text(json.dumps(OUTPUTS))
        done = CliRunner().invoke(main, ["dev", "--outputs", str(outputs), "--out", str(project)])
        assert (done.exit_code, done.output) == (0, "")
        assert (project / "app.py").is_file()
