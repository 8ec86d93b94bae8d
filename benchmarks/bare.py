"""The alternative to our ingest: the shortest Chalice route that puts an event into S3, without any checks."""

import json
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from chalice.app import Chalice, Request

__all__ = ["Putting", "bare_app"]

BUCKET = "clickstream-s3-ingest"


class Putting(Protocol):
    """Storage for raw objects."""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store `body`."""


def bare_app(storage: Putting) -> Chalice:
    """Make a Chalice app whose only route adds `_ingest` to the event and stores it."""
    bare = Chalice(app_name="bare")

    @bare.route("/clickstream", methods=["POST"])
    def clickstream() -> dict[str, Any]:
        request: Request = bare.current_request  # type: ignore[assignment]  # never None inside a route
        received_at = datetime.now(UTC)
        payload = json.loads(request.raw_body)
        payload["_ingest"] = _metadata(request, received_at)
        key = f"events/{received_at.strftime('%Y/%m/%d/%H')}/event-{uuid4()}.json"
        storage.put(BUCKET, key, json.dumps(payload).encode())
        return {"success": True, "key": key}

    return bare


def _metadata(request: Request, received_at: datetime) -> dict[str, Any]:
    """Return the same nine values as our ingest."""
    context = request.context
    return {
        "receivedAt": received_at.isoformat(),
        "sourceIp": context["identity"]["sourceIp"],
        "userAgent": context["identity"]["userAgent"],
        "method": request.method,
        "path": context["path"],
        "requestId": context["requestId"],
        "apiId": context["apiId"],
        "stage": context["stage"],
        "traceId": request.headers.get("x-amzn-trace-id"),
    }
