"""What calls the projector: S3 itself, or SQS with batches of S3's notifications."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Protocol

from chalicelib import keys
from chalicelib.projection import messages, projector
from chalicelib.projection.batch import Getting, Loading
from chalicelib.settings import Settings

__all__ = ["NAME", "handle", "projector_trigger"]

NAME = "projector"

Handler = Callable[[Mapping[str, Any]], Any]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Registering(Protocol):
    """The part of a Chalice app that is needed here."""

    def on_s3_event(self, *, bucket: str, events: list[str], prefix: str, suffix: str, name: str) -> Decorator:
        """Register a function that Chalice lets S3 call."""

    def lambda_function(self, *, name: str) -> Decorator:
        """Register a function that Chalice lets nobody call."""


def projector_trigger(app: Registering, settings: Settings) -> Callable[[Handler], Callable[..., Any]]:
    """Make the decorator that registers the projector, a function of one event, with a stage's trigger.

    With `TRIGGER=sqs` it gets none here: the event source mapping is in infra/templates/, because Chalice cannot set
    `ReportBatchItemFailures`, and S3 refuses two notifications about the same objects.
    """

    def register(handler: Handler) -> Callable[..., Any]:
        # Chalice names the function in Lambda by the name of the one that it registers.
        @wraps(handler)
        def of_event(event: Any, _context: Any = None) -> Any:  # noqa: ANN401  # any JSON
            return handler(event if isinstance(event, dict) else event.to_dict())

        if settings.trigger == "sqs":
            return app.lambda_function(name=NAME)(of_event)
        return app.on_s3_event(
            bucket=settings.raw_bucket,
            events=["s3:ObjectCreated:*"],
            prefix=keys.PREFIX,
            suffix=keys.SUFFIX,
            name=NAME,
        )(of_event)

    return register


def handle(event: Mapping[str, Any], storage: Getting, warehouse: Loading, price_decimals: int) -> Any:  # noqa: ANN401  # JSON
    """Project what an event of SQS or of S3 names; see `messages.handle` and `projector.handle`."""
    handler = messages.handle if messages.is_batch(event) else projector.handle
    return handler(event, storage, warehouse, price_decimals)
