"""The SQL of metrics in other dialects: every file, every value, every result."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from inspect import signature
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import analysis
from analysis import AnalysisError, Range, RawEvents
from analysis.engines.translation import Dialect, check, translate
from analysis.metrics import statement
from tests.support.event_rows import RANGE, event, frame_of
from tests.support.metric_calls import ALL

DIALECTS: tuple[Dialect, ...] = ("spark", "athena")
NAMESPACES = {"spark": "clickstream.clickstream", "athena": "clickstream"}
# So that the day, the hour and the offset change within the events.
WITHIN = Range(RANGE.start, RANGE.end, zone="America/Sao_Paulo")
ORDER = (
    '{"id": "o%d", "total": 12.5, "currency": "EUR", "items": [{"id": "p", "quantity": 2, "price": 0.1}, {"id": "q"}]}'
)

PAGES = (
    "https://shop.example/",
    "https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=Tet",
    "https://shop.example/p/1?q=lamp",
    "https://shop.example/cart",
    None,
)
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
    None,
)


class Recorder:
    """An engine that keeps the queries that metrics ask."""

    price_decimals = 0
    has_orders = True
    has_derived = True

    def __init__(self) -> None:
        self.queries: list[tuple[str, Mapping[str, object]]] = []

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        self.queries.append((sql, parameters))
        return RawEvents(frame_of([], derived=True)).query(sql, parameters)


class ReadBack:
    """DuckDB over tables as the lake has them, by the Athena text of a query, which sqlglot reads back."""

    price_decimals = 0
    has_orders = True
    has_derived = True

    def __init__(self, raw: RawEvents) -> None:
        self._database = raw._database
        self._database.execute("""
            CREATE SCHEMA clickstream;
            CREATE TABLE clickstream.events AS FROM public.clickstream_events;
            CREATE TABLE clickstream.orders AS FROM orders;
            CREATE TABLE clickstream.lines AS FROM order_items;
            CREATE MACRO to_unixtime(moment) AS epoch_us(moment) / 1000000.0;
        """)

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        text = translate(sql, parameters, "athena", "clickstream")
        # DuckDB unnests rows otherwise.
        lines = "clickstream.orders CROSS JOIN UNNEST(lines) AS listed(product_id, quantity, revenue)"
        text = text.replace(lines, "clickstream.lines")
        (back,) = sqlglot.transpile(text, read="athena", write="duckdb")
        frame: pl.DataFrame = self._database.sql(back).pl()
        return frame


def history() -> Iterator[dict[str, Any]]:
    """Events of several visitors on several days, with microseconds, ties and missing values."""
    names = ("product_view", "click", "add_to_cart_click", "checkout_start", "checkout_complete", "page_view")
    for number in range(240):
        name = names[number * 7 % 11 % 6]
        yield event(
            number // 3 * 2713.123457,
            name,
            client=("sam", *(f"c{client}" for client in range(1, 7)))[number % 7] if number % 5 else None,
            user="u",
            session=f"s{number % 9}" if number % 4 else None,
            login=("logged_in", "anonymous", None)[number % 3],
            first=(True, False, None)[number // 20 % 3],
            product=("p", "q", None)[number % 3],
            product_name=f"name {number}" if number % 2 else None,
            category=("x", "Y")[number % 2],
            brand="m" if number % 3 else None,
            price=number,
            discount=number - number % 2,
            order=ORDER % (number % 40) if name == "checkout_complete" else None,
            page=PAGES[number % 13 % 5],
            referrer=("https://www.google.com/", "https://shop.example/", None)[number // 7 % 3],
            agent=AGENTS[number % 7 % 3],
            time_zone=("Asia/Saigon", None)[number % 2],
        )


@pytest.fixture(scope="module")
def raw() -> RawEvents:
    """Give DuckDB over that history."""
    return RawEvents(frame_of([*history()], derived=True), price_decimals=0)


@pytest.fixture(scope="module")
def read_back(raw: RawEvents) -> ReadBack:
    """Give the engine that reads Athena's text back."""
    return ReadBack(raw)


@pytest.mark.slow
class TestEveryFile:
    @pytest.mark.parametrize("dialect", DIALECTS)
    @pytest.mark.parametrize(("name", "arguments"), ALL, ids=lambda value: str(value) if value else "")
    def test_it_is_a_query_of_the_dialect_with_exact_functions(
        self, dialect: Dialect, name: str, arguments: Mapping[str, Any]
    ) -> None:
        """Every query of every metric; `translate` itself checks the outcome, and nothing of ours is left in it."""
        recorder = Recorder()
        getattr(analysis, name)(recorder, WITHIN, **arguments)
        assert recorder.queries
        for sql, parameters in recorder.queries:
            text = translate(sql, parameters, dialect, NAMESPACES[dialect])
            check(text, dialect)
            for word in (
                "COLLATE",
                "MATERIALIZED",
                "public.",
                "$",
                "UNNEST(CAST",
                "PERCENTILE_CONT",
                "EPOCH",
                "APPROX",
            ):
                assert word not in text

    def test_every_file_is_translated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the calls above: no SQL file is left out."""
        read: set[str] = set()
        original = statement._read

        def note(file: str) -> str:
            read.add(file)
            return original(file)

        monkeypatch.setattr(statement, "_read", note)
        statement.statement.cache_clear()
        for name, arguments in ALL:
            getattr(analysis, name)(Recorder(), WITHIN, **arguments)
        statement.statement.cache_clear()
        folder = Path(statement.__file__).parent / "sql"
        assert read == {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.sql")}

    def test_the_calls_use_every_metric(self) -> None:
        """A metric is a function of the public face that takes an engine, and a range."""
        public = {name: getattr(analysis, name) for name in analysis.__all__}
        functions = {name: value for name, value in public.items() if callable(value) and not isinstance(value, type)}
        metrics = {name for name, value in functions.items() if [*signature(value).parameters][1:2] == ["within"]}
        assert {name for name, _ in ALL} == metrics

    @pytest.mark.parametrize(("name", "arguments"), ALL, ids=lambda value: str(value) if value else "")
    def test_the_text_for_athena_says_the_same(
        self, raw: RawEvents, read_back: ReadBack, name: str, arguments: Mapping[str, Any]
    ) -> None:
        """Read back by sqlglot, it gives the same frame in DuckDB. Nothing here runs on Athena itself."""
        metric = getattr(analysis, name)
        found, expected = (metric(each, WITHIN, **arguments) for each in (read_back, raw))
        assert_frame_equal(found, expected, check_exact=True)
        assert not expected.is_empty()


class TestTranslate:
    def test_the_median_stays_exact(self) -> None:
        """Sqlglot alone makes it approximate for both, without a warning."""
        sql = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS median FROM public.clickstream_events"
        for dialect in DIALECTS:
            (alone,) = sqlglot.transpile(sql, read="duckdb", write=dialect)
            with pytest.raises(AnalysisError, match="is not exact"):
                check(alone, dialect)
        assert "PERCENTILE(price, 0.5)" in translate(sql, {}, "spark", "c.c")
        assert "ARRAY_AGG(price ORDER BY price)" in translate(sql, {}, "athena", "c")

    def test_the_latest_value_keeps_its_order(self) -> None:
        """Sqlglot alone drops it for Spark."""
        sql = (
            "SELECT (ARRAY_AGG(a ORDER BY b DESC) FILTER (WHERE a IS NOT NULL))[1] AS a FROM public.clickstream_events"
        )
        assert "MAX_BY(a, STRUCT(b)) FILTER" in translate(sql, {}, "spark", "c.c")
        with pytest.raises(AnalysisError, match=r"write .*DESC"):
            translate(sql.replace("DESC", "ASC"), {}, "spark", "c.c")

    def test_athena_keeps_microseconds(self) -> None:
        """Its plain types of time round to milliseconds."""
        sql = "SELECT CAST($a AS TIMESTAMPTZ) AS a, CAST(b AS TIMESTAMP) AS b, EXTRACT(EPOCH FROM c) AS c FROM events"
        text = translate(sql, {"a": RANGE.start}, "athena", "c")
        assert "CAST(b AS TIMESTAMP(6))" in text
        assert "TIMESTAMP(6) WITH TIME ZONE" in text
        assert "TO_UNIXTIME(c)" in text

    @pytest.mark.parametrize("dialect", DIALECTS)
    @given(text=st.text())
    def test_text_stays_a_value(self, dialect: Dialect, text: str) -> None:
        """Whatever is in it: read back, it is one literal with the same text."""
        query = sqlglot.parse_one(
            translate("SELECT CAST($text AS TEXT) AS a", {"text": text}, dialect, "c"), read=dialect
        )
        (literal,) = query.find_all(sqlglot.exp.Literal)
        assert literal.this == text

    @pytest.mark.parametrize(
        ("value", "spark", "athena"),
        [
            (None, "NULL", "NULL"),
            (True, "TRUE", "TRUE"),
            (-3, "-3", "-3"),
            (0.1, "CAST('0.1' AS DOUBLE)", "CAST('0.1' AS DOUBLE)"),
            (date(2026, 11, 2), "CAST('2026-11-02' AS DATE)", "CAST('2026-11-02' AS DATE)"),
            (
                datetime(26, 11, 2, tzinfo=UTC),
                "CAST('0026-11-02 00:00:00.000000 UTC' AS TIMESTAMP)",
                "CAST('0026-11-02 00:00:00.000000 UTC' AS TIMESTAMP(6) WITH TIME ZONE)",
            ),
        ],
        ids=str,
    )
    def test_values_have_types(self, value: object, spark: str, athena: str) -> None:
        """The types that Python has."""
        for dialect, expected in (("spark", spark), ("athena", athena)):
            assert translate("SELECT $a AS a", {"a": value}, dialect, "c") == f"SELECT {expected} AS a"  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("sql", "parameters", "problem"),
        [
            ("SELECT $a", {}, r"the query needs a value for \$a"),
            ("SELECT $a", {"a": object()}, "a parameter cannot be"),
            ("SELECT $a", {"a": datetime(2026, 1, 1)}, "a parameter cannot be"),  # noqa: DTZ001
            ("SELECT 1; SELECT 2", {}, "one query is needed"),
            ("DROP TABLE events", {}, "one query is needed"),
            ("SELEC 1 FROM (", {}, "this is not a query"),
            ("SELECT approx_count_distinct(a) FROM events", {}, "is not exact"),
            ("SELECT UNNEST(a) AS a FROM events", {}, "only a parameter with a list can be unnested"),
        ],
    )
    def test_what_cannot_be_translated_is_an_error(self, sql: str, parameters: dict[str, object], problem: str) -> None:
        """In one line."""
        for dialect in DIALECTS:
            with pytest.raises(AnalysisError, match=problem):
                translate(sql, parameters, dialect, "c")
