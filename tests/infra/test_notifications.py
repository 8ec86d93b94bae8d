import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from chalicelib.projection.projector import objects
from command_line.home import BUCKET
from infra.steps.notifications import TRIES, main, notify

pytestmark = pytest.mark.deploy

OURS = "arn:aws:lambda:us-east-1:123456789012:function:clickstream-dev-projector"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:clickstream-dev-projector-of-somebody"
FILTER = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "events/"}, {"Name": "suffix", "Value": ".json"}]}}


@pytest.fixture
def queue(aws: Any) -> str:
    """Give the ARN of a queue; the bucket notifies our projector, and the function of somebody else."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="clickstream-dev-notifications")["QueueUrl"]
    functions = [
        {"Id": "ours", "LambdaFunctionArn": OURS, "Events": ["s3:ObjectCreated:*"], "Filter": FILTER},
        {"Id": "other", "LambdaFunctionArn": OTHER, "Events": ["s3:ObjectRemoved:*"]},
    ]
    aws.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": functions}
    )
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def notified(client: Any) -> dict[str, list[str]]:
    """Who is notified by the bucket."""
    found = client.get_bucket_notification_configuration(Bucket=BUCKET)
    return {
        "queues": [each["QueueArn"] for each in found.get("QueueConfigurations", [])],
        "functions": [each["LambdaFunctionArn"] for each in found.get("LambdaFunctionConfigurations", [])],
    }


class TestNotify:
    def test_the_queue_takes_the_place_of_the_projector(self, aws: Any, queue: str) -> None:
        """At once, so that no event is missed; notifications of others stay."""
        assert notify(aws, BUCKET, queue, "clickstream-dev-projector")
        assert notified(aws) == {"queues": [queue], "functions": [OTHER]}
        (ours,) = aws.get_bucket_notification_configuration(Bucket=BUCKET)["QueueConfigurations"]
        assert ours["Events"] == ["s3:ObjectCreated:*"]
        rules = {rule["Name"].lower(): rule["Value"] for rule in ours["Filter"]["Key"]["FilterRules"]}
        assert rules == {"prefix": "events/", "suffix": ".json"}

    def test_a_second_time_changes_nothing(self, aws: Any, queue: str) -> None:
        """S3 would send another test event."""
        notify(aws, BUCKET, queue, "clickstream-dev-projector")
        assert not notify(aws, BUCKET, queue, "clickstream-dev-projector")

    def test_events_reach_the_queue(self, aws: Any, queue: str) -> None:
        """As the projector reads them: S3's test event, and a notification of each event."""
        notify(aws, BUCKET, queue, "clickstream-dev-projector")
        aws.put_object(Bucket=BUCKET, Key="events/2026/11/24/09/event-1.json", Body=b"{}")
        aws.put_object(Bucket=BUCKET, Key="erasures/1.json", Body=b"{}")
        sqs = boto3.client("sqs")
        url = sqs.get_queue_url(QueueName="clickstream-dev-notifications")["QueueUrl"]
        bodies = [
            json.loads(each["Body"]) for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        ]
        assert [body.get("Event") for body in bodies] == ["s3:TestEvent", None]
        assert [(each.bucket, each.key) for each in objects(bodies[1])] == [
            (BUCKET, "events/2026/11/24/09/event-1.json")
        ]

    def test_it_is_removed_and_others_stay(self, aws: Any, queue: str) -> None:
        """Before the queue is deleted; a second time there is nothing to do."""
        notify(aws, BUCKET, queue, "clickstream-dev-projector")
        assert notify(aws, BUCKET, queue, remove=True)
        assert notified(aws) == {"queues": [], "functions": [OTHER]}
        assert not notify(aws, BUCKET, queue, remove=True)

    @pytest.mark.parametrize("refusals", [TRIES - 1, TRIES])
    def test_a_policy_that_s3_does_not_see_yet_is_waited_for(self, refusals: int, aws: Any, queue: str) -> None:
        """S3 looks whether it may send, and a new policy takes seconds to be seen."""

        class Slow:
            def __init__(self) -> None:
                self.refusals = refusals

            def get_bucket_notification_configuration(self, **request: Any) -> Any:
                return aws.get_bucket_notification_configuration(**request)

            def put_bucket_notification_configuration(self, **request: Any) -> Any:
                self.refusals -= 1
                if self.refusals >= 0:
                    text = "Unable to validate the following destination configurations"
                    error = {"Error": {"Code": "InvalidArgument", "Message": text}}
                    raise ClientError(error, "PutBucketNotificationConfiguration")
                return aws.put_bucket_notification_configuration(**request)

        waits: list[float] = []
        if refusals < TRIES:
            assert notify(Slow(), BUCKET, queue, wait=waits.append)
        else:
            with pytest.raises(ClientError, match="Unable to validate"):
                notify(Slow(), BUCKET, queue, wait=waits.append)
        assert sum(waits) == 5 * (TRIES - 1)


class TestCommand:
    def test_it_says_what_it_changed(self, queue: str) -> None:
        """And nothing if nothing had to be."""
        arguments = [BUCKET, queue, "--function", "clickstream-dev-projector"]
        done = [CliRunner().invoke(main, each) for each in (arguments, arguments, [BUCKET, queue, "--remove"])]
        assert [each.output for each in done] == [
            f"   bucket {BUCKET} notifies clickstream-dev-notifications\n",
            "",
            f"   bucket {BUCKET} no longer notifies clickstream-dev-notifications\n",
        ]

    @pytest.mark.usefixtures("aws")
    def test_a_refusal_is_said_in_one_line(self) -> None:
        """With exit code 2."""
        done = CliRunner().invoke(main, ["nobodys-bucket", "arn:aws:sqs:us-east-1:123456789012:q"])
        assert done.exit_code == 2
        assert done.stderr.startswith("Error: bucket nobodys-bucket: An error occurred (NoSuchBucket)")
        assert len(done.stderr.splitlines()) == 1
