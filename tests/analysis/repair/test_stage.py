import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from analysis import AnalysisError
from analysis.engines.data_api.url import DataApiUrl, data_api_url, function_of
from analysis.repair.stage import OUTPUTS, Stage, stage_named
from tests.support.aws.stacks import template

VALUES = {
    "raw": {"RawBucketName": "shop-raw"},
    "base": {"FailureQueueUrl": "https://sqs/failures"},
    "warehouse": {
        "DwClusterArn": "arn:aws:rds:us-east-1:123456789012:cluster:c",
        "DwReaderSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s",
    },
    "operations": {"OperationsFunctionName": "clickstream-dev-operations"},
    "lake": {"LakeBucketName": "shop-lake", "LakeDatabaseName": "shop_dev"},
    "api": {"Endpoint": "https://api/clickstream"},
}

Deploy = Callable[..., Stage]


@pytest.fixture
def deploy(aws: Any) -> Deploy:
    """Give a function that deploys the stacks of a stage, but for some, and gives the stage."""
    del aws

    def deploy(*without: str) -> Stage:
        for name in VALUES.keys() - {*without}:
            body = {
                "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
                "Outputs": {key: {"Value": value} for key, value in VALUES[name].items() if key not in without},
            }
            boto3.client("cloudformation").create_stack(
                StackName=f"clickstream-dev-{name}", TemplateBody=json.dumps(body)
            )
        return stage_named("dev")

    return deploy


class TestStage:
    def test_its_parts_are_the_outputs_of_its_stacks(self, deploy: Deploy) -> None:
        """Bucket, warehouse, lake, queue and endpoint."""
        stage = deploy()
        assert (stage.source, stage.lake) == ("s3://shop-raw", "glue://shop-lake/shop_dev")
        assert (stage.queue, stage.endpoint) == ("https://sqs/failures", "https://api/clickstream")
        cluster, secret = VALUES["warehouse"].values()
        url = DataApiUrl("clickstream_dw", cluster, secret, "clickstream-dev-operations")
        assert data_api_url(stage.dw_url) == url
        assert function_of(stage.dw_url) == ("clickstream-dev-operations", "us-east-1")

    def test_a_stage_without_a_lake_has_none(self, deploy: Deploy) -> None:
        """Not that of this computer either."""
        assert deploy("lake").lake is None

    @pytest.mark.parametrize(
        ("without", "part", "text"),
        [
            ("raw", "source", "has no raw bucket: stack clickstream-dev-raw is not deployed"),
            (
                "warehouse",
                "dw_url",
                "cluster, which the Data API reads: stack clickstream-dev-warehouse is",
            ),
            ("DwReaderSecretArn", "dw_url", "reader: stack clickstream-dev-warehouse has no output DwReaderSecretArn"),
            ("operations", "dw_url", "has no function that repairs the warehouse: stack clickstream-dev-operations is"),
            ("base", "queue", "has no failure queue: stack clickstream-dev-base is not deployed"),
            ("api", "endpoint", "has no endpoint: stack clickstream-dev-api is not deployed"),
        ],
    )
    def test_what_is_missing_is_named(self, without: str, part: str, text: str, deploy: Deploy) -> None:
        """With the stack, the output, the region, and what to do."""
        stage = deploy(without)
        with pytest.raises(AnalysisError) as caught:
            getattr(stage, part)
        assert text in str(caught.value)
        assert "in us-east-1; run 'make deploy STAGE=dev'" in str(caught.value)

    @pytest.mark.parametrize("name", OUTPUTS)
    def test_the_templates_have_the_outputs(self, name: str) -> None:
        """Of the stack that the code expects."""
        stack, _ = OUTPUTS[name]
        assert name in template(stack)["Outputs"]

    @pytest.mark.parametrize("name", ["Prod", "", "-", "a" * 17])
    def test_a_name_that_no_stage_can_have_is_refused(self, name: str) -> None:
        """Before AWS is asked."""
        with pytest.raises(AnalysisError, match="a stage's name is"):
            stage_named(name)


class TestUrl:
    def test_a_warehouse_that_can_only_be_read_is_not_repaired(self) -> None:
        """The error says what the URL lacks."""
        url = str(DataApiUrl("clickstream_dw", *VALUES["warehouse"].values()))
        with pytest.raises(AnalysisError, match="can only be read through the Data API: add &function=NAME"):
            function_of(url)

    def test_another_url_is_no_url_of_the_data_api(self) -> None:
        """A connection can be opened to it."""
        assert data_api_url("postgresql://somebody@host/database") is None
        assert function_of("postgresql://somebody@host/database") is None
