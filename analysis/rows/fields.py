"""Fields that only raw holds, which readers can ask for besides the contract's columns."""

from collections.abc import Iterable

from analysis.errors import AnalysisError
from chalicelib.contract import Column

__all__ = ["JSON", "KEY", "OCCURRED_AT", "RAW_FIELDS", "fields_named"]

# A type of raw fields only: the member's JSON text, as sent.
JSON = "JSON"
# Fields that are no members: the object's key, and when the event happened, which is computed from several events.
KEY = "key"
OCCURRED_AT = "occurred_at"

RAW_FIELDS = (
    Column("sent_event_id", "TEXT", ("eventId", "event_id")),
    Column("sent_event_timestamp", "TIMESTAMPTZ", ("eventTimestamp", "event_timestamp")),
    Column("page_url", "TEXT", ("pageUrl", "page_url")),
    Column("referrer", "TEXT", ("referrer",)),
    Column("tab_id", "TEXT", ("tabId", "tab_id")),
    Column("seq", "BIGINT", ("seq",)),
    Column("dropped_overflow", "BIGINT", ("dropped.overflow",)),
    Column("dropped_refused", "BIGINT", ("dropped.refused",)),
    Column("dropped_withheld", "BIGINT", ("dropped.withheld",)),
    Column("element", JSON, ("element",)),
    Column("cart", JSON, ("cart",)),
    Column("order", JSON, ("order",)),
    Column("received_at", "TIMESTAMPTZ", ("_ingest.receivedAt",)),
    Column("source_ip", "TEXT", ("_ingest.sourceIp",)),
    Column("user_agent", "TEXT", ("_ingest.userAgent",)),
    Column("method", "TEXT", ("_ingest.method",)),
    Column("path", "TEXT", ("_ingest.path",)),
    Column("request_id", "TEXT", ("_ingest.requestId",)),
    Column("api_id", "TEXT", ("_ingest.apiId",)),
    Column("stage", "TEXT", ("_ingest.stage",)),
    Column("trace_id", "TEXT", ("_ingest.traceId",)),
    Column("wishlisted", "BOOLEAN", ("wishlisted",)),
    Column("channel", "TEXT", ("channel",)),
    Column("publisher_name", "TEXT", ("publisher.name",)),
    Column("publisher_version", "TEXT", ("publisher.version",)),
    Column("time_zone", "TEXT", ("context.timeZone",)),
    Column("language", "TEXT", ("context.language",)),
)


def fields_named(names: Iterable[str]) -> tuple[Column, ...]:
    """Look up fields by name, in this order, each once. `key` and `occurred_at` are left out: they are not members.

    Raises:
        AnalysisError: A name is neither one of these two nor in RAW_FIELDS.
    """
    fields = {field.name: field for field in RAW_FIELDS}
    wanted = [name for name in dict.fromkeys(names) if name not in {KEY, OCCURRED_AT}]
    unknown = [name for name in wanted if name not in fields]
    if unknown:
        known = ", ".join((KEY, OCCURRED_AT, *fields))
        raise AnalysisError(f"unknown raw field {', '.join(unknown)}: choose from {known}")
    return tuple(fields[name] for name in wanted)
