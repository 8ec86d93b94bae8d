import json
from typing import Any

import pytest

from chalicelib.errors import ProjectionFailed
from chalicelib.projection.messages import BatchResponse, is_batch
from chalicelib.projection.projector import objects
from emulator.triggers.messages import batch_of, through_queue
from emulator.triggers.notification import File, objects_created

NOTIFICATION = objects_created("raw", [File("events/a.json", 7, 1), File("events/b c.json", 8, 1)])


class TestBatchOf:
    def test_each_object_is_a_message(self) -> None:
        """Whose body is S3's notification of it, and which has an id of its own."""
        batch = batch_of(NOTIFICATION)
        assert is_batch(batch)
        bodies = [json.loads(message["body"]) for message in batch["Records"]]
        assert [[each.key for each in objects(body)] for body in bodies] == [["events/a.json"], ["events/b c.json"]]
        assert len({message["messageId"] for message in batch["Records"]}) == 2


class TestThroughQueue:
    def test_outcomes_come_back(self) -> None:
        """Of each object, as from S3's own trigger."""
        outcomes = [{"outcome": "projected"}, {"outcome": "gone"}]
        assert through_queue(lambda _: BatchResponse([], outcomes))(NOTIFICATION) == outcomes

    def test_a_message_that_failed_is_raised_with_all_outcomes(self) -> None:
        """So that its object alone is delivered again."""
        outcomes = [{"outcome": "projected"}, {"outcome": "failed", "error": "refused"}]

        def project(batch: dict[str, Any]) -> BatchResponse:
            return BatchResponse([batch["Records"][1]["messageId"]], outcomes)

        with pytest.raises(ProjectionFailed) as raised:
            through_queue(project)(NOTIFICATION)
        assert raised.value.outcomes == outcomes
