import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from chalice.test import Client

import app as clickstream_app
from chalicelib.storage import RawStorage, s3_client
from chalicelib.warehouse.client import open_warehouse
from command_line.home import BUCKET

pytestmark = pytest.mark.slow


@pytest.fixture
def client(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the S3 client that the app uses, on a pretend AWS."""
    monkeypatch.setattr(clickstream_app, "storage", RawStorage(aws))
    return aws


def answer_to(event: dict[str, Any]) -> dict[str, Any]:
    """Call the deployed entry point with an API Gateway event."""
    answer: dict[str, Any] = clickstream_app.app(event, None)
    return answer | {"body": json.loads(answer["body"])}


def stored(client: Any) -> list[bytes]:
    """Every object of the raw bucket."""
    listing = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in listing]


class TestClickstream:
    @pytest.mark.parametrize("envelope", ["api_gateway_rest", "api_gateway_http_1_0"])
    def test_both_api_gateways_are_understood(
        self, envelope: str, client: Any, payload: Callable[[str], bytes]
    ) -> None:
        """REST events, and HTTP API events of payload format 1.0, base64 bodies included."""
        answer = answer_to(json.loads(payload(envelope)))
        assert answer["statusCode"] == 200
        (raw,) = stored(client)
        assert json.loads(raw)["eventName"] == "page_view"

    @pytest.mark.parametrize("content_type", ["application/octet-stream", "text/html", "nonsense", None])
    def test_a_wrong_content_type_is_refused_in_our_shape(
        self, content_type: str | None, client: Any, api_event: Callable[..., dict[str, Any]]
    ) -> None:
        """Not in Chalice's, and with CORS headers."""
        answer = answer_to(api_event("{}", content_type))
        assert answer["statusCode"] == 415
        assert answer["body"]["success"] is False
        assert answer["headers"]["Access-Control-Allow-Origin"] == "*"
        assert not stored(client)

    def test_a_binary_body_is_read_byte_by_byte(self, client: Any, api_event: Callable[..., dict[str, Any]]) -> None:
        """Invalid UTF-8 in base64 is refused, and named."""
        event = api_event(base64.b64encode(b'{"a":"\xff"}').decode()) | {"isBase64Encoded": True}
        answer = answer_to(event)
        assert answer["statusCode"] == 400
        assert "not UTF-8" in answer["body"]["message"]
        assert not stored(client)

    def test_a_packed_event_of_either_gateway(self, client: Any, api_event: Callable[..., dict[str, Any]]) -> None:
        """A REST API unpacks it itself, and keeps the header; an HTTP API hands on its bytes in base64."""
        packed = base64.b64encode(gzip.compress(b'{"eventName": "click"}')).decode()
        unpacked = api_event('{"eventName": "click"}', **{"Content-Encoding": "gzip"})
        for event in (
            unpacked,
            unpacked | {"body": packed, "isBase64Encoded": True},
            api_event(packed, "application/gzip") | {"isBase64Encoded": True},
        ):
            assert answer_to(event)["statusCode"] == 200
        assert [json.loads(raw)["eventName"] for raw in stored(client)] == ["click"] * 3

    def test_a_rest_api_takes_packed_events_for_binary_data(self) -> None:
        """Chalice names the content type to API Gateway, which would take the bytes for text otherwise."""
        assert "application/gzip" in clickstream_app.app.api.binary_types
        assert not {"application/json", "text/plain"} & set(clickstream_app.app.api.binary_types)

    def test_a_preflight_is_answered_with_json(self, client: Any, api_event: Callable[..., dict[str, Any]]) -> None:
        """Chalice would send the text `null` under a 204."""
        event = api_event(None, None, Origin="https://shop.example")
        event["httpMethod"] = event["requestContext"]["httpMethod"] = "OPTIONS"
        answer = answer_to(event)
        assert (answer["statusCode"], answer["body"]) == (200, {"success": True})
        assert not stored(client)


class TestProject:
    def test_it_is_triggered_by_events_only(self) -> None:
        """By every object created below `events/` that ends in `.json`, and by nothing else."""
        trigger: Any
        (trigger,) = clickstream_app.app.event_sources
        assert trigger.bucket == BUCKET
        assert (trigger.prefix, trigger.suffix) == ("events/", ".json")
        assert trigger.events == ["s3:ObjectCreated:*"]

    def test_the_trigger_projects_what_it_names(
        self, client: Any, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, payload: Callable[[str], bytes]
    ) -> None:
        """Through Chalice's own handler, into a real PostgreSQL."""
        settings = clickstream_app.settings
        monkeypatch.setattr(clickstream_app, "settings", type(settings)(dw_url=warehouse_url))
        event = json.loads(payload("s3_one_record"))
        key = event["Records"][0]["s3"]["object"]["key"]
        client.put_object(Bucket=BUCKET, Key=key, Body=payload("product_view"))
        with Client(clickstream_app.app, project_dir="chalice_app") as chalice:
            (outcome,) = chalice.lambda_.invoke("projector", event).payload
        open_warehouse(clickstream_app.settings).close()
        assert outcome["outcome"] == "projected"
        assert outcome["key"] == key


class TestClient:
    def test_the_client_is_made_once_and_gives_up_in_time(self, aws: Any) -> None:
        """All tries together stay below API Gateway's limit of 29 seconds."""
        del aws
        s3_client.cache_clear()
        config = s3_client().meta.config
        assert s3_client() is s3_client()
        attempts = config.retries["total_max_attempts"]
        assert attempts * (config.connect_timeout + config.read_timeout) < 29
        s3_client.cache_clear()
