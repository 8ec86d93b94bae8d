from collections.abc import Mapping
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.test import Client

from chalicelib.projection.trigger import projector_trigger
from chalicelib.settings import Settings
from tests.support.queued import batch, named_by


def registered(trigger: str) -> Chalice:
    """An app whose projector gives back the event that it gets."""
    app = Chalice(app_name="clickstream")

    @projector_trigger(app, Settings(raw_bucket="shop-raw", trigger=trigger))
    def project(event: Mapping[str, Any]) -> Any:  # the event
        return event

    assert callable(project)
    return app


class TestProjectorTrigger:
    def test_s3_calls_it_for_every_event(self) -> None:
        """By bucket, prefix and suffix."""
        source: Any
        (source,) = registered("s3").event_sources
        found = (source.bucket, source.prefix, source.suffix, source.events)
        assert found == ("shop-raw", "events/", ".json", ["s3:ObjectCreated:*"])

    def test_behind_a_queue_chalice_lets_nobody_call_it(self) -> None:
        """S3 would refuse two notifications about the same objects. The function keeps its name."""
        app = registered("sqs")
        assert app.event_sources == []
        assert [function.name for function in app.pure_lambda_functions] == ["projector"]
        assert [function.handler_string for function in app.pure_lambda_functions] == ["app.project"]

    @pytest.mark.parametrize(
        ("trigger", "event"), [("s3", named_by("a")), ("sqs", batch(["a"])), ("sqs", named_by("a"))]
    )
    def test_the_event_arrives_as_it_is(self, trigger: str, event: dict[str, Any]) -> None:
        """Behind a queue also one of S3, which comes from the former trigger while a stage changes over."""
        with Client(registered(trigger)) as client:
            assert client.lambda_.invoke("projector", event).payload == event
