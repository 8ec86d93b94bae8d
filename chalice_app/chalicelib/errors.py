"""Every error this product raises on purpose, under one root."""

__all__ = [
    "ClickstreamError",
    "CredentialsUnavailable",
    "EventTooLarge",
    "InternalError",
    "InvalidEvent",
    "NewerWarehouse",
    "ObjectGone",
    "ProjectionFailed",
    "SchemaError",
    "SettingsError",
    "StorageUnavailable",
    "Unauthorized",
    "UnsupportedContentType",
    "UpgradeRefused",
    "WarehouseUnavailable",
]


class ClickstreamError(Exception):
    """The root: its text is safe to send to a client and to log, and never holds event text."""

    status = 500
    outcome = "failed"


class InvalidEvent(ClickstreamError):
    """The body is no event: the text says what is wrong and where."""

    status = 400
    outcome = "refused"


class Unauthorized(ClickstreamError):
    """The request carries none of the keys that `API_KEY_SHA256` knows."""

    status = 401
    outcome = "refused"


class EventTooLarge(ClickstreamError):
    """The body is larger than `MAX_EVENT_BYTES`."""

    status = 413
    outcome = "refused"


class UnsupportedContentType(ClickstreamError):
    """The request's content type is neither `application/json` nor `text/plain`."""

    status = 415
    outcome = "refused"


class StorageUnavailable(ClickstreamError):
    """S3 refused, timed out or throttled: nothing was confirmed, so the client has to send the event again."""

    status = 503
    outcome = "storage_unavailable"


class InternalError(ClickstreamError):
    """Something that nobody foresaw; the log line of the request says what."""


class ObjectGone(ClickstreamError):
    """The object of a notification does not exist any more."""


class WarehouseUnavailable(ClickstreamError):
    """PostgreSQL cannot be reached or refused a statement: the invocation has to be retried."""


class NewerWarehouse(ClickstreamError):
    """A later version of this code has upgraded the warehouse: commands leave it alone."""


class UpgradeRefused(ClickstreamError):
    """The role that was used may not change the warehouse's tables."""


class SchemaError(ClickstreamError):
    """The contract's columns, or the numbered steps beside them, say something that no table can follow."""


class CredentialsUnavailable(ClickstreamError):
    """The service that keeps the warehouse's credentials does not give them: the invocation has to be retried."""


class ProjectionFailed(ClickstreamError):
    """Some objects of one notification could not be projected; raised so that Lambda retries all of them."""


class SettingsError(ClickstreamError):
    """An environment variable is missing or has a value that cannot be used."""
