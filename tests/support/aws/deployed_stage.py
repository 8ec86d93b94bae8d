"""A deployed stage on this computer: its stacks in a pretend AWS, its warehouse behind a double of the Data API.

The stacks are those of infra/templates/. The operations function is the app's own, which a pretend Lambda calls.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
from psycopg import conninfo

from chalicelib import log
from chalicelib.errors import WarehouseUnavailable
from chalicelib.operations.handler import handle
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage
from infra.policies import narrowed
from tests.support.aws.data_api import DataApi, data_api
from tests.support.aws.stacks import aws_server, template, template_file
from tests.support.stack_process import ROOT

__all__ = ["DeployedStage", "allows", "deployed_stage"]

REGION = "eu-central-1"
BUCKET = "shop-raw"
# Of these the pretend AWS judges the action alone, and lets in only whoever may do it with every resource.
NAMES = {"lambda:InvokeFunction": "lambda:Invoke"}  # what it calls an action that AWS calls otherwise
BY_ACTION = ("cloudformation:", "lambda:", "sqs:", "secretsmanager:", "rds-data:")
STACKS = ("raw", "base", "network", "warehouse", "operations")
SETTINGS = json.loads((ROOT / "infra" / "stages" / "dev.json").read_text())
SETTINGS |= {"Stage": "dev", "RawBucketName": BUCKET, "RawVersioning": "yes", "Lake": "none"}

Document = Mapping[str, Any]


@dataclass
class DeployedStage:
    """The stage `dev`.

    Attributes:
        url: Where the pretend AWS listens.
        warehouse_url: The warehouse, as its owner.
        service: The Data API.
        outputs: The outputs of the stacks.
        seconds_left: What Lambda says to the operations function.
        asked: The events that the operations function was given.
        fails: Whether the warehouse is away when the operations function is given an event.
    """

    url: str
    warehouse_url: str
    service: DataApi
    outputs: dict[str, str]
    settings: Settings
    seconds_left: Callable[[], float] = lambda: 900.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    fails: Callable[[dict[str, Any]], bool] = lambda _event: False
    documents: dict[str, list[Document]] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    storage: RawStorage = field(default_factory=RawStorage)

    def client(self, service: str) -> Any:
        """Give a client of somebody who may do everything, whose calls nobody records."""
        if service not in self.clients:
            session = boto3.Session("everything", "secret", region_name=REGION)
            self.clients[service] = session.client(service, endpoint_url=self.url)
        return self.clients[service]

    def fill(self, objects: Mapping[str, bytes]) -> None:
        """Put objects into raw."""
        for key, body in objects.items():
            self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    def empty(self) -> None:
        """Delete every object of raw, and let everything work again."""
        client = self.client("s3")
        for each in client.list_object_versions(Bucket=BUCKET).get("Versions", ()):
            client.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
        self.asked.clear()
        self.service.requests.clear()
        self.seconds_left, self.fails = (lambda: 900.0), (lambda _event: False)

    def keys(self) -> list[str]:
        """List the keys of raw's events."""
        found = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="events/")
        return [each["Key"] for each in found.get("Contents", ())]

    def policy(self, role: str) -> dict[str, Any]:
        """Give the policy of an analyst, operator or eraser, as its stack has made it."""
        iam = self.client("iam")
        arn = f"arn:aws:iam::123456789012:policy/clickstream-dev-{role}"
        document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
        return document

    def somebody(self, documents: Sequence[Document]) -> dict[str, str]:
        """Give the environment of somebody with these policies and no other right."""
        iam, name = self.client("iam"), f"user-{uuid4()}"
        iam.create_user(UserName=name)
        for number, document in enumerate(documents):
            text = json.dumps({"Version": "2012-10-17", "Statement": _as_judged(document)})
            iam.put_user_policy(UserName=name, PolicyName=f"policy-{number}", PolicyDocument=text)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.documents[key["AccessKeyId"]] = list(documents)
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ENDPOINT_URL_RDS_DATA": self.service.url,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def may(self, key: str, action: str, resource: str) -> bool:
        """Whether the policies of somebody allow an action on a resource, exactly."""
        return any(allows(document, action, resource) for document in self.documents.get(key, ()))

    def run(self, _name: str, event: dict[str, Any]) -> object:
        """Be the operations function."""
        self.asked.append(event)
        if self.fails(event):
            raise WarehouseUnavailable("the warehouse failed: it is away")
        return handle(event, self.seconds_left, self.settings, self.storage)


def allows(document: Document, action: str, resource: str) -> bool:
    """Whether a policy allows an action on a resource."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, pattern) for pattern in statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in document["Statement"]
    )


def _as_judged(document: Document) -> list[dict[str, Any]]:
    return [
        {**statement, "Action": [NAMES.get(each, each) for each in statement["Action"]], "Resource": ["*"]}
        if statement["Action"][0].startswith(BY_ACTION)
        # Of several objects that are deleted at once, it judges the bucket.
        else {**statement, "Resource": [*statement["Resource"], f"arn:aws:s3:::{BUCKET}"]}
        if "s3:DeleteObject" in statement["Action"]
        else dict(statement)
        for statement in document["Statement"]
    ]


@contextmanager
def deployed_stage(warehouse_url: str) -> Iterator[DeployedStage]:
    """Deploy the stage `dev` over a warehouse, which is as it is."""
    stages: list[DeployedStage] = []
    with (
        aws_server(lambda name, event: stages[0].run(name, event)) as url,
        data_api("", {}) as service,
        patch.object(log, "output", io.StringIO()),
    ):
        stage = DeployedStage(url, warehouse_url, service, {}, Settings())
        stages.append(stage)
        _deploy(stage)
        yield stage


def _deploy(stage: DeployedStage) -> None:
    for name in STACKS:
        _stack(stage, name)
    outputs = stage.outputs
    # The secrets that the stack has recorded, with what the stack says is in them.
    secrets = stage.client("secretsmanager")
    users = {"DwSecretArn": "clickstream_writer", "DwReaderSecretArn": "clickstream_reader"}
    arns = {}
    for output, user in users.items():
        text = json.dumps({"username": user, "password": f"{user}'s", "host": "nowhere"})
        arns[output] = secrets.create_secret(Name=user, SecretString=text)["ARN"]
    cluster = outputs["DwClusterArn"]
    stage.service.cluster, stage.service.may = cluster, stage.may
    reader = conninfo.make_conninfo(stage.warehouse_url, user="clickstream_reader")
    stage.service.secrets[outputs["DwReaderSecretArn"]] = reader
    stage.settings = Settings(
        raw_bucket=BUCKET,
        dw_url=stage.warehouse_url,
        dw_writer_secret_arn=arns["DwSecretArn"],
        dw_reader_secret_arn=arns["DwReaderSecretArn"],
    )
    _function(stage)


def _stack(stage: DeployedStage, name: str) -> None:
    """Deploy one stack; its parameters come from the settings and the stacks before it, as in infra/deploy.sh."""
    client = stage.client("cloudformation")
    body = template_file(name).read_text()
    given = SETTINGS | stage.outputs
    parameters = [
        {"ParameterKey": key, "ParameterValue": str(given[key])} for key in template(name)["Parameters"] if key in given
    ]
    client.create_stack(StackName=f"clickstream-dev-{name}", TemplateBody=body, Parameters=parameters)
    (made,) = client.describe_stacks(StackName=f"clickstream-dev-{name}")["Stacks"]
    stage.outputs |= {each["OutputKey"]: each["OutputValue"] for each in made["Outputs"]}


def _function(stage: DeployedStage) -> None:
    """Deploy the function, which reads raw with its own policy."""
    committed = json.loads((ROOT / "chalice_app" / ".chalice" / "policy-operations.json").read_text())
    place = {"Region": REGION, "AccountId": "123456789012", "Partition": "aws"}
    name = stage.outputs["OperationsFunctionName"]
    keys = stage.somebody([narrowed(committed, stage.outputs | place, name, is_owner=True)])
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    stage.storage = RawStorage(session.client("s3", endpoint_url=stage.url))
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = stage.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as zipped:
        zipped.writestr("app.py", "")
    stage.client("lambda").create_function(
        FunctionName=name,
        Role=role,
        Code={"ZipFile": code.getvalue()},
        Handler="app.operate",
        Runtime="python3.11",
    )
