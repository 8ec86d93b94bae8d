"""Reads the warehouse of a stage through the RDS Data API: PostgreSQL over HTTPS, without a way into its VPC.

What the service does, and this module hides: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
A statement has named parameters, of no array type. It ends after 45 s. A result has at most 1 MiB, so a cursor gives it
page by page. Times come without a zone, in UTC, and numbers with decimals, dates, UUIDs and JSON come as text.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.postgres import types as postgres_types
from psycopg.types.string import TextLoader

from analysis.engines.data_api.url import DataApiUrl
from analysis.engines.protocol import PARAMETER
from analysis.errors import AnalysisError

__all__ = ["LONGEST_STATEMENT", "Result", "Session", "session"]

# The service ends a statement after 45 s, and then says less than PostgreSQL does.
LONGEST_STATEMENT = 44.0
# Above LONGEST_STATEMENT. A FETCH that is sent twice would lose a page, so no request is.
CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 1})
FIRST_PAGE = 250  # rows
PAGE_BYTES = 400_000  # that a page should have, of the 1 MiB that it may
MOST_ROWS = 20_000
GROWTH = 4  # of a page over the one before it
# A paused cluster takes 15 s to wake up, and more after a day.
WAKING_SECONDS, WAKING_PAUSE = 60.0, 2.0
TRIES = 3
PASSING = frozenset({"InternalServerErrorException", "ServiceUnavailableError", "ThrottlingException"})
RESUMING = frozenset({"DatabaseResumingException", "DatabaseUnavailableException"})
TOO_LARGE = re.compile(r"response size|too large|size limit", re.IGNORECASE)
SQLSTATE = re.compile(r"SQLState: (\w{5})")
POSITIONAL = re.compile("%s")
# The service relies on it being UTF-8.
ITS_OWN = ("client_encoding",)
JSON_NAMES = ("json", "jsonb")
TIMES = ("timestamptz", "timestamp with time zone")

Parameter = dict[str, Any]


class Result(NamedTuple):
    """The rows of a query, and the name and PostgreSQL's type of each column."""

    rows: list[tuple[Any, ...]]
    columns: list[tuple[str, str]]


class _PageTooLarge(Exception):
    """A page has more bytes than the service gives. `rows` is how many rows were asked for."""

    rows = 1


class _Passing(Exception):
    """The service could not answer this time."""


class Session:
    """One read-only transaction. Errors are psycopg's, by their SQLSTATE."""

    def __init__(self, client: Any, url: DataApiUrl, transaction: str, most: int) -> None:  # noqa: ANN401  # botocore's
        self._client = client
        self._at = {"resourceArn": url.cluster, "secretArn": url.secret}
        self._database = url.database
        self._transaction = transaction
        self._most = most  # rows of a page

    def prepare(self, settings: Mapping[str, str]) -> None:
        """Make the transaction read only, and set these for it, whatever the user's own settings are."""
        self._execute("SET TRANSACTION READ ONLY", [])
        ours = {name: value for name, value in settings.items() if name not in ITS_OWN}
        calls = ", ".join(f"set_config(:n{number}, :v{number}, true)" for number in range(len(ours)))
        texts = {
            f"{letter}{number}": text
            for number, pair in enumerate(ours.items())
            for letter, text in zip("nv", pair, strict=True)
        }
        self._execute(f"SELECT {calls}", [_text(name, text) for name, text in texts.items()])

    def execute(self, query: bytes, parameters: Sequence[Any] | None = None) -> "_Rows":
        """Run a query with placeholders `%s` that gives few rows, as a connection of psycopg does."""
        names = (f"p{number}" for number in count())
        sql = POSITIONAL.sub(lambda _: f"${next(names)}", query.decode())
        named = dict(zip((f"p{number}" for number in range(len(parameters or ()))), parameters or (), strict=True))
        bound, values = _bound(re.compile(r"\$(p\d+)"), sql, named)
        return _Rows(self._read(self._execute(bound, values, is_query=True)).rows)

    def query(self, sql: str, parameters: Mapping[str, object]) -> Result:
        """Run a query with parameters `$name`, and give all of its rows, which a cursor hands out page by page."""
        bound, values = _bound(PARAMETER, sql, parameters)
        # A cursor takes one query that reads: nothing after a semicolon, and nothing that writes.
        self._execute(f"DECLARE page NO SCROLL CURSOR FOR {bound}", values)
        found, size = Result([], []), min(FIRST_PAGE, self._most)
        while True:
            try:
                answer = self._execute(f"FETCH FORWARD {size} FROM page", [], is_query=True)
            except _PageTooLarge as error:
                error.rows = size
                raise
            read = self._read(answer)
            found = Result(found.rows + read.rows, read.columns)
            if len(read.rows) < size:
                return found
            given = int(answer["ResponseMetadata"]["HTTPHeaders"].get("content-length", 0))
            size = min(_next_page(size, given), self._most)

    def _execute(self, sql: str, parameters: Sequence[Parameter], *, is_query: bool = False) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._client.execute_statement(
                **self._at,
                database=self._database,
                transactionId=self._transaction,
                sql=sql,
                parameters=[*parameters],
                includeResultMetadata=is_query,
            )
        except (ClientError, BotoCoreError) as error:
            raise _error(error) from error
        return answer

    @staticmethod
    def _read(answer: Mapping[str, Any]) -> Result:
        columns = [(each["label"], each["typeName"].lower()) for each in answer.get("columnMetadata", ())]
        readers = [_reader(kind) for _, kind in columns]
        rows = [
            tuple(None if field.get("isNull") else read(field) for field, read in zip(record, readers, strict=True))
            for record in answer.get("records", ())
        ]
        return Result(rows, columns)


class _Rows:
    """The rows of a result, one after the other."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Give the next row; None after the last."""
        return next(self._rows, None)


def session(url: DataApiUrl, settings: Mapping[str, str], work: Callable[[Session], Result]) -> Result:
    """Do some reading in one transaction. It is done again if the service failed, or gave too large a page.

    Args:
        url: The warehouse.
        settings: What to set in the transaction.
        work: What to do.

    Raises:
        psycopg.Error: The warehouse refuses, or the service does not answer.
        AnalysisError: A row is larger than the service gives.
    """
    try:
        client = boto3.client("rds-data", region_name=url.region, config=CONFIG)
    except BotoCoreError as error:
        raise psycopg.OperationalError(str(error)) from error
    most, tries = MOST_ROWS, TRIES
    while True:
        try:
            with _transaction(client, url, most) as opened:
                opened.prepare(settings)
                return work(opened)
        except _PageTooLarge as error:
            if error.rows == 1:
                raise AnalysisError("a row is larger than the Data API gives (64 KiB): choose fewer columns") from None
            most = max(1, error.rows // 4)  # also of later pages: rows may be longer there than at the beginning
        except _Passing as error:
            tries -= 1
            if not tries:
                raise psycopg.OperationalError(str(error)) from error


@contextmanager
def _transaction(client: Any, url: DataApiUrl, most: int) -> Iterator[Session]:  # noqa: ANN401  # botocore's
    where = {"resourceArn": url.cluster, "secretArn": url.secret}
    transaction = _begin(client, where | {"database": url.database})
    try:
        yield Session(client, url, transaction, most)
    finally:
        # There is nothing to keep; after an error, the service may have ended it already.
        with suppress(ClientError, BotoCoreError):
            client.rollback_transaction(**where, transactionId=transaction)


def _begin(client: Any, where: Mapping[str, str]) -> str:  # noqa: ANN401  # botocore's
    """Begin a transaction; wait while the cluster wakes up."""
    until = time.monotonic() + WAKING_SECONDS
    while True:
        try:
            return str(client.begin_transaction(**where)["transactionId"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in RESUMING or time.monotonic() > until:
                raise _error(error) from error
            time.sleep(WAKING_PAUSE)
        except BotoCoreError as error:
            raise _error(error) from error


def _next_page(size: int, given: int) -> int:
    """Choose how many rows come next, by the bytes of the last page."""
    wanted = size * PAGE_BYTES // max(1, given)
    return max(1, min(wanted, size * GROWTH))


def _error(error: ClientError | BotoCoreError) -> Exception:
    """Give psycopg's error for an error of PostgreSQL, and what is to be done for others."""
    if isinstance(error, BotoCoreError):
        return _Passing(str(error))
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "StatementTimeoutException":
        return psycopg.errors.QueryCanceled(text)
    if found := SQLSTATE.search(text):
        said = re.sub(r"^ERROR: |; (Position|SQLState): \w+", "", text)
        with suppress(KeyError):
            return psycopg.errors.lookup(found[1])(said)
        return psycopg.DatabaseError(said)
    if code in {"UnsupportedResultException", "BadRequestException"} and TOO_LARGE.search(text):
        return _PageTooLarge()
    if code in PASSING:
        return _Passing(f"{code}: {text}")
    return psycopg.OperationalError(f"{code}: {text}")


def _bound(pattern: re.Pattern[str], sql: str, parameters: Mapping[str, object]) -> tuple[str, list[Parameter]]:
    """Write parameters as the service has them, with the types that psycopg gives their values."""
    casts: dict[str, str] = {}
    bound: list[Parameter] = []

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name not in casts:
            casts[name], parameter = _parameter(name, parameters[name])
            bound.append(parameter)
        return casts[name]

    return pattern.sub(place, sql), bound


def _parameter(name: str, value: object) -> tuple[str, Parameter]:
    """Give what stands in the SQL for a value, and the value. psycopg writes it, and names its type."""
    if value is None:
        return f":{name}", {"name": name, "value": {"isNull": True}}
    if isinstance(value, bool):
        return f"CAST(:{name} AS BOOLEAN)", {"name": name, "value": {"booleanValue": value}}
    dumper = Transformer().get_dumper(value, PyFormat.TEXT)
    text = bytes(dumper.dump(value) or b"").decode()
    info = postgres_types.get(dumper.oid)
    if info is None:  # text, or a list of which the query has to say the type
        return f":{name}", _text(name, text)
    kind = info.regtype if dumper.oid == info.oid else f"{info.regtype}[]"
    if isinstance(value, int):
        return f"CAST(:{name} AS {kind})", {"name": name, "value": {"longValue": value}}
    return f"CAST(:{name} AS {kind})", _text(name, text)


def _text(name: str, text: str) -> Parameter:
    return {"name": name, "value": {"stringValue": text}}


def _reader(kind: str) -> Callable[[Mapping[str, Any]], Any]:
    """Give what reads a value of one of PostgreSQL's types, as psycopg does."""
    element = kind.removeprefix("_").removesuffix("[]")
    info = postgres_types.get(element)
    if info is None:
        raise AnalysisError(f"a result cannot have the type {kind}: cast it, for example to TEXT")
    load = _loader(info.oid, info.name)
    return (lambda field: _array(field, load)) if element != kind else (lambda field: load(_value(field)))


def _loader(oid: int, name: str) -> Callable[[Any], Any]:
    if name in TIMES:
        return _moment
    # A copy: the map itself is of every connection of this process. UUIDs are text, as over a connection.
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_loader("uuid", TextLoader)
    kind = adapters.get_loader(oid, psycopg.pq.Format.TEXT)
    if kind is None:
        raise AnalysisError(f"a result cannot have the type {name}: cast it, for example to TEXT")
    loader = kind(oid)
    return lambda value: value if value is None or not isinstance(value, str) else loader.load(value.encode())


def _moment(text: str | None) -> datetime | None:
    """Read a time, which has no zone because it is in UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise psycopg.DataError(f"{text} is a time that Python does not know") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _value(field: Mapping[str, Any]) -> Any:  # noqa: ANN401  # any value
    return next(iter(field.values()))


def _array(field: Mapping[str, Any], load: Callable[[Any], Any]) -> list[Any]:
    values: list[Any] = next(iter(field["arrayValue"].values()), [])
    return [load(value) for value in values]
