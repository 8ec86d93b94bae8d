"""Translates the SQL of metrics from PostgreSQL and DuckDB to Spark and Athena, without changing any result.

sqlglot does most of it. Where it would change a result without a warning, or leave words that the engine does not know,
one of the rewrites below comes first. docs/scale.md lists them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Literal, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from analysis.errors import AnalysisError

__all__ = ["Dialect", "check", "translate"]

Dialect: TypeAlias = Literal["spark", "athena"]
# What both engines of the source language accept.
SOURCE = "duckdb"

_ORDER_COLUMNS = ("event_id", "order_id", "currency", "total", "items", "placed_at", "login_state")


def translate(sql: str, parameters: Mapping[str, object], dialect: Dialect, namespace: str) -> str:
    """Write a query in another dialect, with the values of its parameters in it.

    Args:
        sql: One query for DuckDB and PostgreSQL, with parameters as `$name`.
        parameters: The value of each parameter by its name. Others are ignored.
        dialect: `spark` or `athena`. Their sessions have to be in UTC.
        namespace: Where the lake's tables `events` and `orders` are, as the engine writes it.

    Returns:
        The query. `public.clickstream_events` has become the lake's `events`; `orders` and `order_items`, which engines
        over raw have, come from the lake's `orders`.

    Raises:
        AnalysisError: The text is not one query, a parameter has no value, or not text, a number, a boolean, an aware
            time, a date or a list of these, or the query cannot be translated exactly.
    """
    tree: exp.Expr = _parsed(sql, SOURCE)
    try:
        tree = tree.transform(_bind, parameters)
        for rewrite in _REWRITES:
            tree = rewrite(tree, dialect)
        tree = _placed(tree, dialect, namespace)
        text = tree.sql(dialect, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise AnalysisError(f"this query cannot be translated for {dialect}: {error}") from None
    check(text, dialect)
    return text


def check(sql: str, dialect: Dialect) -> None:
    """Raise AnalysisError unless the text is one query of the dialect, and all its functions are exact."""
    for node in _parsed(sql, dialect).find_all(exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if "approx" in name.lower() or "approx" in node.sql(dialect).partition("(")[0].lower():
            raise AnalysisError(f"{node.sql(dialect)} is not exact")


def _parsed(sql: str, dialect: str) -> exp.Expr:
    try:
        trees = sqlglot.parse(sql, read=dialect)
    except SqlglotError as error:
        raise AnalysisError(f"this is not a query: {error}") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise AnalysisError("one query is needed, which begins with SELECT or WITH")
    return trees[0]


def _bind(node: exp.Expr, parameters: Mapping[str, object]) -> exp.Expr:
    """Put a parameter's value in its place."""
    if not isinstance(node, exp.Placeholder | exp.Parameter):
        return node
    if node.name not in parameters:
        raise AnalysisError(f"the query needs a value for ${node.name}")
    return _literal(parameters[node.name])


def _literal(value: object) -> exp.Expr:
    match value:
        case None:
            return exp.null()
        case bool() | int() | str():
            return exp.convert(value)
        case float():
            return exp.cast(exp.Literal.string(repr(value)), "double", dialect=SOURCE)
        case datetime() if value.tzinfo is not None:
            text = f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC"
            return exp.cast(exp.Literal.string(text), "timestamptz", dialect=SOURCE)
        case date() if not isinstance(value, datetime):
            return exp.cast(exp.Literal.string(value.isoformat()), "date", dialect=SOURCE)
        case list() | tuple():
            return exp.Array(expressions=[_literal(each) for each in value])
    raise AnalysisError(f"a parameter cannot be {value!r}: write text, a number, a boolean, or a time with its zone")


def _without_collation(tree: exp.Expr, _: Dialect) -> exp.Expr:
    """Both compare text by its code points, as COLLATE "C" does, and neither knows that name."""
    for collated in list(tree.find_all(exp.Collate)):
        collated.replace(collated.this)
    return tree


def _without_hints(tree: exp.Expr, _: Dialect) -> exp.Expr:
    """Neither knows NOT MATERIALIZED."""
    for cte in tree.find_all(exp.CTE):
        cte.set("materialized", None)
    return tree


def _texts(tree: exp.Expr, _: Dialect) -> exp.Expr:
    """A cast of a text to text is the text, so that `date_trunc` sees its unit."""

    def simplified(node: exp.Expr) -> exp.Expr:
        is_text = isinstance(node, exp.Cast) and node.is_type("text") and isinstance(node.this, exp.Literal)
        return node.this if is_text else node

    return tree.transform(simplified)


def _lists(tree: exp.Expr, _: Dialect) -> exp.Expr:
    """Lists become rows: Spark takes one EXPLODE in a SELECT, and counts positions from 0."""
    for select in list(tree.find_all(exp.Select)):
        columns = select.expressions
        if columns and all(isinstance(each.unalias(), exp.Explode | exp.Unnest) for each in columns):
            lists = [_items(each.unalias()) for each in columns]
            rows = exp.values(list(zip(*lists, strict=True)), "listed", [each.alias for each in columns])
            select.replace(exp.select("*").from_(rows))
    for unnest in list(tree.find_all(exp.Unnest)):
        alias = unnest.args.get("alias")
        if unnest.args.get("offset") and alias:
            items = enumerate(_items(unnest), 1)
            numbered = [(each, exp.cast(exp.Literal.number(place), "bigint")) for place, each in items]
            names = [each.name for each in alias.columns]
            if isinstance(unnest.args["offset"], exp.Identifier):
                names.append(unnest.args["offset"].name)
            unnest.replace(exp.values(numbered, alias.name, names))
    return tree


def _items(unnest: exp.Expr) -> list[exp.Expr]:
    """Give the elements of a list, each with the type that the list is cast to."""
    listed = unnest.expressions[0] if isinstance(unnest, exp.Unnest) else unnest.this
    if isinstance(listed, exp.Cast) and isinstance(listed.this, exp.Array):
        element = listed.to.expressions[0]
        return [exp.cast(each, element.copy()) for each in listed.this.expressions]
    raise AnalysisError(f"{unnest.sql(SOURCE)}: only a parameter with a list can be unnested")


def _limits(tree: exp.Expr, _: Dialect) -> exp.Expr:
    """LIMIT takes a number only, and no NULL."""
    for limit in list(tree.find_all(exp.Limit)):
        value = limit.expression.this if isinstance(limit.expression, exp.Cast) else limit.expression
        if isinstance(value, exp.Null):
            limit.pop()
        else:
            limit.set("expression", value)
    return tree


def _seconds(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """EXTRACT(EPOCH …) keeps microseconds: sqlglot lets Athena round to milliseconds, and Spark knows no EPOCH."""

    def exact(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Extract) or node.name.upper() != "EPOCH":
            return node
        if dialect == "athena":
            return exp.Anonymous(this="TO_UNIXTIME", expressions=[node.expression])
        return exp.paren(exp.Anonymous(this="UNIX_MICROS", expressions=[node.expression]) / 1000000)

    return tree.transform(exact)


def _percentiles(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """`percentile_cont` stays exact; sqlglot would make it approximate. Athena has only the formula for it."""

    def exact(node: exp.Expr) -> exp.Expr:
        if not (isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont)):
            return node
        fraction, value = node.this.this, node.expression.expressions[0].this
        if dialect == "spark":
            return exp.Anonymous(this="PERCENTILE", expressions=[value, fraction])
        written = _INTERPOLATED.format(value=value.sql("athena"), fraction=fraction.sql("athena"))
        return exp.paren(sqlglot.parse_one(written, read="athena"))

    return tree.transform(exact)


# Between the two values around the place, as PostgreSQL interpolates.
_PLACE = "{fraction} * (COUNT({value}) - 1)"
_SORTED = "ARRAY_AGG({value} ORDER BY {value}) FILTER(WHERE {value} IS NOT NULL)"
_LOWER, _UPPER = (f"ELEMENT_AT({_SORTED}, CAST({name}({_PLACE}) AS BIGINT) + 1)" for name in ("FLOOR", "CEIL"))
_INTERPOLATED = f"{_LOWER} + ({_UPPER} - {_LOWER}) * ({_PLACE} - FLOOR({_PLACE}))"


def _firsts(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """The first of an ordered ARRAY_AGG: sqlglot drops its order for Spark, which has MAX_BY for that."""
    if dialect != "spark":
        return tree

    def latest(node: exp.Expr) -> exp.Expr:
        found = node.find(exp.ArrayAgg) if isinstance(node, exp.Bracket) else None
        if found is None:
            return node
        order, filtered = found.find(exp.Order), node.find(exp.Filter)
        if order is None or filtered is None or not all(each.args.get("desc") for each in order.expressions):
            raise AnalysisError(f"{node.sql(SOURCE)}: write (ARRAY_AGG(… ORDER BY … DESC) FILTER (…))[1]")
        by = exp.Struct(expressions=[each.this for each in order.expressions])
        return exp.Filter(
            this=exp.Anonymous(this="MAX_BY", expressions=[order.this, by]), expression=filtered.expression
        )

    return tree.transform(latest)


def _window_filters(tree: exp.Expr, _: Dialect) -> exp.Expr:
    """FILTER of a window function becomes CASE; neither has it."""
    for window in tree.find_all(exp.Window):
        if isinstance(filtered := window.this, exp.Filter):
            function, condition = filtered.this, filtered.expression.this
            counted = exp.Literal.number(1) if isinstance(function.this, exp.Star) else function.this
            function.set("this", exp.Case(ifs=[exp.If(this=condition, true=counted)]))
            window.set("this", function)
    return tree


def _days(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """The days between two dates are a number: both would give an interval."""

    def counted(node: exp.Expr) -> exp.Expr:
        operands = (node.this, node.expression) if isinstance(node, exp.Sub) else ()
        if not operands or not all(isinstance(each, exp.Cast) and each.is_type("date") for each in operands):
            return node
        later, earlier = node.this, node.expression
        if dialect == "spark":
            return exp.Anonymous(this="DATEDIFF", expressions=[later, earlier])
        return exp.Anonymous(this="DATE_DIFF", expressions=[exp.Literal.string("day"), earlier, later])

    return tree.transform(counted)


def _times(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Times keep their microseconds; Athena's TIMESTAMP has milliseconds. Spark has one type, in a session in UTC."""
    for kind in tree.find_all(exp.DataType):
        if kind.this in {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPNTZ}:
            if dialect == "spark":
                kind.replace(exp.DataType.build("TIMESTAMP", dialect="spark"))
            elif not kind.expressions:
                zone = " WITH TIME ZONE" if kind.this == exp.DataType.Type.TIMESTAMPTZ else ""
                kind.replace(exp.DataType.build(f"TIMESTAMP(6){zone}", dialect="athena"))
    return tree


_REWRITES: tuple[Callable[[exp.Expr, Dialect], exp.Expr], ...] = (
    _without_collation,
    _without_hints,
    _texts,
    _lists,
    _limits,
    _seconds,
    _percentiles,
    _firsts,
    _window_filters,
    _days,
    _times,
)


def _placed(tree: exp.Expr, dialect: Dialect, namespace: str) -> exp.Expr:
    """Put the lake's tables where the query names others."""
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if (table.db, table.name) == ("public", "clickstream_events"):
            source: exp.Expr = exp.to_table(f"{namespace}.events", dialect=dialect)
        elif not table.db and table.name not in own and table.name in {"orders", "order_items"}:
            source = _orders(dialect, namespace) if table.name == "orders" else _items_of_orders(dialect, namespace)
        else:
            continue
        table.replace(exp.alias_(source, table.alias or table.name, table=True))
    return tree


def _orders(dialect: Dialect, namespace: str) -> exp.Expr:
    columns = ", ".join(_ORDER_COLUMNS)
    return sqlglot.parse_one(f"(SELECT {columns} FROM {namespace}.orders)", read=dialect)  # noqa: S608  # our own names


def _items_of_orders(dialect: Dialect, namespace: str) -> exp.Expr:
    if dialect == "spark":
        columns = "line.product_id, line.quantity, line.revenue"
        lines = "LATERAL VIEW EXPLODE(lines) listed AS line"
    else:
        columns = "product_id, quantity, revenue"
        lines = "CROSS JOIN UNNEST(lines) AS listed (product_id, quantity, revenue)"
    text = f"(SELECT event_id, {columns} FROM {namespace}.orders {lines})"  # noqa: S608  # our own names
    return sqlglot.parse_one(text, read=dialect)
