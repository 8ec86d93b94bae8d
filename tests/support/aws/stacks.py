"""A pretend AWS behind HTTP for whole deployments: moto's server, and on its side what it lacks of what we deploy."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch
from uuid import uuid4

from cfnlint.decode import cfn_yaml
from moto.apigateway.models import APIGatewayBackend
from moto.awslambda.models import LambdaFunction
from moto.awslambda.urls import url_paths as lambda_paths
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet
from moto.cloudformation.parsing import get_model_map
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.iam.models import ManagedPolicy, iam_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.s3 import notifications
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer
from moto.utilities.utils import get_partition

from tests.support.stack_process import ROOT

__all__ = ["ACCOUNT_LIMIT", "TEMPLATES", "Recorded", "aws_server", "template", "template_file"]

Run = Callable[[str, dict[str, Any]], object]

TEMPLATES = sorted(path.stem for path in (ROOT / "infra" / "templates").glob("**/*.yaml"))


def template_file(name: str) -> Path:
    """Where a template of infra/ is, by its name without ending."""
    (file,) = (ROOT / "infra" / "templates").glob(f"**/{name}.yaml")
    return file


def template(name: str) -> dict[str, Any]:
    """One template of infra/, by its name without ending, with short forms such as `!Ref` as their long forms."""
    loaded: dict[str, Any] = cfn_yaml.load(str(template_file(name)))
    return loaded


class Recorded(CloudFormationModel):
    """A resource of a type that moto's CloudFormation does not know: kept with its properties, and nothing else."""

    there: ClassVar[dict[str, "Recorded"]] = {}

    def __init__(self, type_: str, properties: dict[str, Any]) -> None:
        self.type = type_
        self.properties = properties
        name = f"{type_.rpartition('::')[2].lower()}-{uuid4().hex[:8]}"
        is_secret = type_ == "AWS::SecretsManager::Secret"
        self.physical_resource_id = (
            f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}" if is_secret else name
        )
        self.there[self.physical_resource_id] = self

    @classmethod
    def all_of(cls, type_: str) -> list[dict[str, Any]]:
        """The properties of every resource of this type that is there."""
        return [resource.properties for resource in cls.there.values() if resource.type == type_]

    @classmethod
    def has_cfn_attr(cls, _attribute: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute: str) -> str:
        return f"{self.physical_resource_id}.{attribute}"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003  # moto's signature, here and below
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003
        region_name: str,  # noqa: ARG003
        **kwargs: Any,
    ) -> "Recorded":
        return cls(kwargs["ResourceType"], cloudformation_json["Properties"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "Recorded",
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003
        region_name: str,  # noqa: ARG003
    ) -> "Recorded":
        original_resource.properties = cloudformation_json["Properties"]
        return original_resource

    def delete(self, _account: str, _region: str) -> None:
        del self.there[self.physical_resource_id]

    def is_created(self) -> bool:
        return True


# Known to moto, but not how they are deleted with their stack, or not as part of what it does not know.
HALF_KNOWN = {
    "AWS::EC2::RouteTable",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCEndpoint",
    "AWS::Events::Rule",
    # It would call a function, in Docker, as soon as a message comes.
    "AWS::Lambda::EventSourceMapping",
    "AWS::RDS::DBInstance",
}


def _recorded_types() -> dict[str, type[Recorded]]:
    types = {resource["Type"] for name in TEMPLATES for resource in template(name)["Resources"].values()}
    return dict.fromkeys(types - get_model_map().keys() | HALF_KNOWN, Recorded)


_apply = ChangeSet.apply
_clean_json = parsing.clean_json
_change_set = CloudFormationResponse.create_change_set
_update = LambdaFunction.update_configuration
_put_rest_api = APIGatewayBackend.put_rest_api
_notifications = S3Response._notification_config_from_body


def _apply_and_output(changes: ChangeSet) -> None:
    """A stack gets its outputs and parameters from its change sets, too."""
    _apply(changes)
    changes.stack.template_dict = changes.template_dict
    changes.stack.parameters = changes.parameters
    changes.stack.output_map = changes.stack._create_output_map()


def _without_no_value(resource_json: Any, resources_map: Any) -> Any:
    """CloudFormation leaves an item out that is `AWS::NoValue`; moto only a property."""
    cleaned = _clean_json(resource_json, resources_map)
    return [each for each in cleaned if each is not None] if isinstance(cleaned, list) else cleaned


def _create_change_set(response: CloudFormationResponse) -> Any:
    """AWS makes roles only for somebody who says that they know about it, moto for everybody."""
    if "AWS::IAM::" in str(response._get_param("TemplateBody")) and "CAPABILITY_NAMED_IAM" not in response._get_param(
        "Capabilities", []
    ):
        raise ValidationError(message="Requires capabilities : [CAPABILITY_NAMED_IAM]")
    return _change_set(response)


def _put_swagger(backend: APIGatewayBackend, function_id: str, api_doc: dict[str, Any], **options: Any) -> Any:
    """AWS takes Swagger 2, which Chalice sends, with its policy; moto only OpenAPI 3, without."""
    api = _put_rest_api(backend, function_id, {"openapi": "3.0.1", "paths": api_doc["paths"]}, **options)
    api.policy = api_doc.get("x-amazon-apigateway-policy")
    return api


def _import_swagger(backend: APIGatewayBackend, api_doc: dict[str, Any], fail_on_warnings: bool) -> Any:  # noqa: FBT001
    """As above."""
    api = backend.create_rest_api(name=api_doc["info"]["title"], description="")
    return _put_swagger(backend, api.id, api_doc, fail_on_warnings=fail_on_warnings)


def _any_case(response: S3Response) -> Any:
    """AWS takes the names of filters in any case, moto only in lower case."""
    for name in (b"Prefix", b"Suffix"):
        response.body = response.body.replace(b"<Name>%s<" % name, b"<Name>%s<" % name.lower())
    return _notifications(response)


def _delete_policy(policy: ManagedPolicy, account: str, region: str) -> None:
    """AWS deletes a managed policy with its stack, moto keeps it."""
    iam_backends[account][get_partition(region)].delete_policy(policy.arn)


# How much the account may run at once, as one that is not new, and how much of it no function has reserved.
ACCOUNT_LIMIT = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}


def _account_settings(*_: Any) -> tuple[int, dict[str, str], str]:
    return 200, {}, json.dumps({"AccountLimit": ACCOUNT_LIMIT})


def _update_configuration(function: LambdaFunction, changes: dict[str, Any]) -> dict[str, Any]:
    """AWS also takes a change of tracing, moto none."""
    function.tracing_config = changes.get("TracingConfig", function.tracing_config)
    return _update(function, changes)


def _invoked(run: Run) -> Callable[[LambdaFunction, dict[str, Any]], tuple[str, bool, str]]:
    """Lambda's own runtime, which moto has in Docker only: what the function returns or raises, as JSON."""

    def invoke(function: LambdaFunction, event: dict[str, Any]) -> tuple[str, bool, str]:
        try:
            return json.dumps(run(function.function_name, event)), False, ""
        except Exception as error:  # noqa: BLE001  # Lambda reports every one
            return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}), True, ""

    return invoke


def _no_function(name: str, _event: dict[str, Any]) -> object:
    raise RuntimeError(f"nothing runs {name} here")


@contextmanager
def aws_server(run: Run = _no_function) -> Iterator[str]:
    """Run one, empty; gives its URL. `run` is called for a function that somebody invokes, with its name and event."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    Recorded.there.clear()
    # What another test has left in this process would be there, too.
    moto_api_backend.reset()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with (
        # A stored object would call the projector, in Docker.
        patch.object(notifications, "_invoke_awslambda"),
        patch.object(LambdaFunction, "_invoke_lambda", _invoked(run)),
        patch.object(LambdaFunction, "update_configuration", _update_configuration),
        patch.dict(get_model_map(), _recorded_types()),
        patch.dict(lambda_paths, {"{0}/2016-08-19/account-settings$": _account_settings}),
        patch.object(ChangeSet, "apply", _apply_and_output),
        patch.object(parsing, "clean_json", _without_no_value),
        # A change set without a change fails later, as of a template that has a number among its parameters.
        patch.object(CloudFormationResponse, "_validate_different_update", lambda *_: None),
        patch.object(CloudFormationResponse, "create_change_set", _create_change_set),
        # Moto refuses a change set without changes if all parameters are texts; AWS makes one that has failed.
        patch.object(CloudFormationResponse, "_validate_different_update"),
        patch.object(APIGatewayBackend, "put_rest_api", _put_swagger),
        patch.object(APIGatewayBackend, "import_rest_api", _import_swagger),
        patch.object(S3Response, "_notification_config_from_body", _any_case),
        patch.object(ManagedPolicy, "delete", _delete_policy, create=True),
    ):
        server.start()
        host, port = server.get_host_and_port()
        try:
            yield f"http://{host}:{port}"
        finally:
            server.stop()
