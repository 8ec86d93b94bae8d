"""The columns of the lake's tables, as Polars and Iceberg know them."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import TYPE_CHECKING

import polars as pl

from analysis.lake.derived import DERIVED
from analysis.rows.browser_time import SENT_AT
from analysis.rows.columns import DTYPES
from analysis.rows.fields import KEY, OCCURRED_AT, RAW_FIELDS
from analysis.rows.oddities.evidence import ADDRESS, EVIDENCE_COLUMNS, ODDITIES
from chalicelib.contract import COLUMNS

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType

__all__ = [
    "EVENTS",
    "EVENT_COLUMNS",
    "FIELDS",
    "LAKE_VERSION",
    "NAMESPACE",
    "ORDERS",
    "ORDER_COLUMNS",
    "PARTITION_HOUR",
    "SENT",
    "documentation",
    "iceberg_schema",
]

NAMESPACE = "clickstream"
EVENTS = f"{NAMESPACE}.events"
ORDERS = f"{NAMESPACE}.orders"
# Counts up with every change of the columns or of what they mean.
LAKE_VERSION = 2

PARTITION_HOUR = "partition_hour"
TIME = pl.Datetime("us", "UTC")
MONEY = pl.Decimal(38, 18)

# IP addresses and what only serves to trace requests stay in raw.
_IN_RAW_ONLY = {"source_ip", "method", "path", "request_id", "api_id", "stage", "trace_id"}
# The raw fields. The browser's time is read as `occurred_at` needs it, also where it is spelled as a number.
SENT = "sent_event_timestamp"
FIELDS = tuple(SENT_AT if field.name == SENT else field for field in RAW_FIELDS if field.name not in _IN_RAW_ONLY)
_FIELD_NAMES = tuple(SENT if field is SENT_AT else field.name for field in FIELDS)

EVENT_COLUMNS: Mapping[str, pl.DataType] = {
    **{column.name: DTYPES[column.type] for column in COLUMNS},
    KEY: pl.String(),
    PARTITION_HOUR: TIME,
    **{name: DTYPES[field.type] for name, field in zip(_FIELD_NAMES, FIELDS, strict=True)},
    OCCURRED_AT: TIME,
    **DERIVED,
    **EVIDENCE_COLUMNS,
}

ORDER_COLUMNS: Mapping[str, pl.DataType] = {
    "order_id": pl.String(),
    "event_id": pl.String(),
    "currency": pl.String(),
    "total": MONEY,
    "items": pl.Int64(),
    "placed_at": TIME,
    OCCURRED_AT: TIME,
    "client_id": pl.String(),
    "user_id": pl.String(),
    "login_state": pl.String(),
    KEY: pl.String(),
    PARTITION_HOUR: TIME,
    "lines": pl.List(pl.Struct({"product_id": pl.String(), "quantity": pl.Int64(), "revenue": MONEY})),
}


def iceberg_schema(columns: Mapping[str, pl.DataType]) -> "Schema":
    """Give the columns as an Iceberg schema. Every column may be null, so that engines can add their own rows."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    numbers = count(1)
    top = [next(numbers) for _ in columns]
    return Schema(
        *(
            NestedField(number, name, iceberg_type(kind, numbers), required=False)
            for number, (name, kind) in zip(top, columns.items(), strict=True)
        )
    )


def iceberg_type(kind: pl.DataType, numbers: Iterable[int]) -> "IcebergType":
    """Give the Iceberg type of a Polars type; `numbers` gives the ids of the fields inside of it."""
    from pyiceberg import types

    inner = iter(numbers)
    if isinstance(kind, pl.List):
        number = next(inner)
        return types.ListType(number, iceberg_type(kind.inner, inner), element_required=False)  # type: ignore[arg-type]
    if isinstance(kind, pl.Struct):
        ids = [next(inner) for _ in kind.fields]
        return types.StructType(
            *(
                types.NestedField(number, field.name, iceberg_type(field.dtype, inner), required=False)  # type: ignore[arg-type]
                for number, field in zip(ids, kind.fields, strict=True)
            )
        )
    if isinstance(kind, pl.Decimal):
        return types.DecimalType(kind.precision or 38, kind.scale)
    plain = {
        pl.String(): types.StringType(),
        pl.Int64(): types.LongType(),
        pl.Boolean(): types.BooleanType(),
        TIME: types.TimestamptzType(),
    }
    return plain[kind]


def documentation() -> str:
    """Give the columns of the table of events as a Markdown table, for the docs."""
    origins = (
        dict.fromkeys((column.name for column in COLUMNS), "the contract, as in the warehouse")
        | {KEY: "the object's key", PARTITION_HOUR: "the hour in the key, in UTC"}
        | {name: f"`{field.sources[0]}`" for name, field in zip(_FIELD_NAMES, FIELDS, strict=True)}
        | {OCCURRED_AT: "when it happened, by the events of the day before and after"}
        | dict.fromkeys(DERIVED, "derived")
        | {ADDRESS: "a keyed hash of `_ingest.sourceIp`, for `validate`"}
        | {ODDITIES: "what `validate` says of the event's members, as JSON; null if nothing is odd"}
    )
    numbers = count(1)
    rows = [f"| `{name}` | {iceberg_type(kind, numbers)} | {origins[name]} |" for name, kind in EVENT_COLUMNS.items()]
    return "\n".join(["| column | type | from |", "|---|---|---|", *rows])
