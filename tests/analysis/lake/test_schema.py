from analysis.lake.derived import DERIVED
from analysis.lake.schema import EVENT_COLUMNS, ORDER_COLUMNS, iceberg_schema
from chalicelib.contract import COLUMNS


class TestEventColumns:
    def test_the_contract_comes_first_and_what_is_derived_last(self) -> None:
        """In between: the key, its hour, raw fields, and when the event happened. The evidence follows."""
        names = list(EVENT_COLUMNS)
        assert names[: len(COLUMNS) + 3] == [*(each.name for each in COLUMNS), "key", "partition_hour", "sent_event_id"]
        assert names[-len(DERIVED) - 3 :] == ["occurred_at", *DERIVED, "address_hash", "oddities"]

    def test_addresses_and_ids_of_requests_stay_in_raw(self) -> None:
        """Nobody analyses them, and they tell who it is."""
        private = {"source_ip", "request_id", "trace_id", "api_id", "method", "path", "stage"}
        assert not private & EVENT_COLUMNS.keys()


class TestIcebergSchema:
    def test_types_are_those_of_the_warehouse(self) -> None:
        """UUIDs are text, times have a zone and microseconds, prices are long."""
        schema = iceberg_schema(EVENT_COLUMNS)
        found = {name: str(schema.find_type(name)) for name in ("event_id", "event_timestamp", "is_first_visit", "seq")}
        assert found == {
            "event_id": "string",
            "event_timestamp": "timestamptz",
            "is_first_visit": "boolean",
            "seq": "long",
        }

    def test_amounts_are_exact_and_lines_are_in_their_order(self) -> None:
        """A list of structs, in which each field has an id of its own."""
        schema = iceberg_schema(ORDER_COLUMNS)
        assert str(schema.find_type("total")) == "decimal(38, 18)"
        assert str(schema.find_type("lines.element.revenue")) == "decimal(38, 18)"
        assert len(schema.field_ids) == len(ORDER_COLUMNS) + 4
