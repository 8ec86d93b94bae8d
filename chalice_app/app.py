"""Route and trigger of the two Lambdas: parse, call, respond."""

from typing import Any

from chalice.app import Chalice, Request, Response, S3Event

from chalicelib import ingest, keys, projector
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage

app = Chalice(app_name="clickstream")
settings = Settings.from_environment()
storage = RawStorage()


# Any content type is let in: Chalice's own refusal has another shape than our answers.
@app.route("/clickstream", methods=["POST", "OPTIONS"], content_types=["*/*"])
def clickstream() -> Response:
    """POST one event, or ask (OPTIONS) whether a page's origin may."""
    request: Request = app.current_request  # type: ignore[assignment]  # never None inside a route
    answer = ingest.handle(request.to_original_event(), request.lambda_context, settings, storage)
    return Response(body=answer.body, status_code=answer.status, headers={**answer.headers})


@app.on_s3_event(
    bucket=settings.raw_bucket,
    events=["s3:ObjectCreated:*"],
    prefix=keys.PREFIX,
    suffix=keys.SUFFIX,
    name="projector",
)
def project(event: S3Event) -> list[dict[str, Any]]:
    """Project every raw object that S3 names; S3 ignores the answer, a manual invocation shows it."""
    # Here, not above: the ingest Lambda must not pay for loading the database driver.
    from chalicelib.warehouse.client import open_warehouse

    return projector.handle(event.to_dict(), storage, open_warehouse(settings))
