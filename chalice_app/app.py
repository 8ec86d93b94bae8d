"""The route, the trigger, the operations and the reconciler of the Lambdas: parse, call, respond."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Chalice, Request, Response

from chalicelib import ingest
from chalicelib.api.request import GZIP_TYPE
from chalicelib.projection import trigger
from chalicelib.projection.trigger import projector_trigger
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage

app = Chalice(app_name="clickstream")
app.api.binary_types.append(GZIP_TYPE)  # a REST API would hand on such a body as damaged text
settings = Settings.from_environment()
storage = RawStorage()


# Any content type is let in, because Chalice's own refusal has another form than our responses.
@app.route("/clickstream", methods=["POST", "OPTIONS"], content_types=["*/*"])
def clickstream() -> Response:
    """Store one event (POST), or say whether a page's origin may send events (OPTIONS)."""
    request: Request = app.current_request  # type: ignore[assignment]  # never None inside a route
    response = ingest.handle(request.to_original_event(), request.lambda_context, settings, storage)
    return Response(body=response.body, status_code=response.status, headers={**response.headers})


@projector_trigger(app, settings)
def project(event: Mapping[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """Project every raw object that an event of S3 or SQS names; S3 ignores the result, SQS reads it."""
    # Imported here, so that the ingest Lambda does not pay for loading the database driver.
    from chalicelib.warehouse.client import open_warehouse

    return trigger.handle(event, storage, open_warehouse(settings), settings.price_decimals)


@app.lambda_function(name="operations")
def operate(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  # Lambda's own class
    """Do one slice of bulk work on the warehouse, which `python -m analysis` asks for."""
    from chalicelib.operations.handler import handle

    return handle(event, lambda: context.get_remaining_time_in_millis() / 1000, settings, storage)


# Without a schedule of Chalice's: the stage's own templates invoke it.
@app.lambda_function(name="reconciler")
def reconcile(_event: object, context: Any) -> dict[str, Any]:  # noqa: ANN401  # Lambda's context
    """Project raw objects that have no row, and record how far each hour is complete."""
    from chalicelib.projection.reconciler.run import handle

    return handle(settings, storage, context)
