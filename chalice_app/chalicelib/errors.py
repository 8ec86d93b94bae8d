"""Every error that this product raises on purpose, under one root."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "ClickstreamError",
    "CredentialsUnavailable",
    "EventTooLarge",
    "InternalError",
    "InvalidEvent",
    "InvalidNotification",
    "NewerWarehouse",
    "ObjectGone",
    "OperationRefused",
    "OtherPriceDecimals",
    "ProjectionFailed",
    "RowRefused",
    "SchemaError",
    "SettingsError",
    "StorageUnavailable",
    "Unauthorized",
    "UnsupportedContentEncoding",
    "UnsupportedContentType",
    "UpgradeRefused",
    "WarehouseUnavailable",
]


class ClickstreamError(Exception):
    """The root of all errors. Their text is safe to send to a client and to log: it never contains text of events."""

    status = 500
    outcome = "failed"


class InvalidEvent(ClickstreamError):
    """The body is not an event: the text says what is wrong and where."""

    status = 400
    outcome = "refused"


class InvalidNotification(ClickstreamError):
    """A message of the queue is not one of S3's notifications: nothing says which object it is about."""


class Unauthorized(ClickstreamError):
    """The request has no API key that `API_KEY_SHA256` knows."""

    status = 401
    outcome = "refused"


class EventTooLarge(ClickstreamError):
    """The body is larger than `MAX_EVENT_BYTES`."""

    status = 413
    outcome = "refused"


class UnsupportedContentEncoding(ClickstreamError):
    """The request's `Content-Encoding` is not gzip."""

    status = 415
    outcome = "refused"


class UnsupportedContentType(ClickstreamError):
    """Ingest does not accept the content type of the request."""

    status = 415
    outcome = "refused"


class StorageUnavailable(ClickstreamError):
    """S3 refused, timed out or throttled. It confirmed nothing, so the client has to send the event again."""

    status = 503
    outcome = "storage_unavailable"


class InternalError(ClickstreamError):
    """An unforeseen error; the log line of the request names it."""


class ObjectGone(ClickstreamError):
    """The object of a notification does not exist any more."""


class WarehouseUnavailable(ClickstreamError):
    """PostgreSQL cannot be reached, or refused a statement. The invocation has to be retried."""


class RowRefused(WarehouseUnavailable):
    """PostgreSQL answers and refuses this row, because of a constraint, for example. It may take other rows."""


class NewerWarehouse(ClickstreamError):
    """A later version of this code has upgraded the warehouse: commands leave it alone."""


class OtherPriceDecimals(ClickstreamError):
    """The warehouse's prices were stored with another `PRICE_DECIMALS`: whoever writes must not mix the two."""


class OperationRefused(ClickstreamError):
    """The warehouse is not as a repair needs it; the text says what to do first."""


class UpgradeRefused(ClickstreamError):
    """The role that was used may not change the warehouse's tables."""


class SchemaError(ClickstreamError):
    """The contract's columns, or the numbered steps beside them, say something that no table can follow."""


class CredentialsUnavailable(ClickstreamError):
    """The service that keeps the warehouse's credentials does not give them. The invocation has to be retried."""


class ProjectionFailed(ClickstreamError):
    """Some objects of a notification were not projected. Lambda retries the whole notification.

    Attributes:
        outcomes: The outcome of every object of the notification, in order, as `projector.handle` would return it.
    """

    def __init__(self, text: str, outcomes: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(text)
        self.outcomes = outcomes


class SettingsError(ClickstreamError):
    """An environment variable is missing, or its value cannot be used."""
