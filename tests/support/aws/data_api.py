"""A double of the RDS Data API: its JSON over HTTP, with the SQL run by a real PostgreSQL.

Shapes and limits are those of the service's model in botocore and of its documentation: parameters by name, whose types
are those of their members and hints; results with column metadata, or as one JSON text; 1 MiB of result, 64 KiB of a
row, 64 KiB of SQL, 4 MiB of request, and 45 s of a statement. What goes beyond ends the statement and its transaction.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread, Timer
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import pq
from psycopg.postgres import types

__all__ = ["DataApi", "data_api"]

MIB = 1024 * 1024
# By member of a field, and by hint. A text is a text: it becomes no other type by itself.
MEMBERS = {"stringValue": "text", "longValue": "int8", "doubleValue": "float8", "booleanValue": "bool"}
HINTS = {
    "DATE": "date",
    "DECIMAL": "numeric",
    "JSON": "jsonb",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "UUID": "uuid",
}
FORMATS = {"DATE": r"\d{4}-\d\d-\d\d", "TIMESTAMP": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?"}
LONGS, DOUBLES = {"int2", "int4", "int8"}, {"float4", "float8"}
STRINGS = {
    "text",
    "varchar",
    "bpchar",
    "name",
    "uuid",
    "numeric",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "json",
    "jsonb",
}
# JDBC's numbers of types, which the metadata has.
NUMBERS = {"bool": -7, "int2": 5, "int4": 4, "int8": -5, "float4": 7, "float8": 8, "numeric": 2, "date": 91, "time": 92}
NUMBERS |= {"timestamp": 93, "timestamptz": 93, "bytea": -2, "uuid": 1111, "json": 1111, "jsonb": 1111}
# What is no parameter: texts, quoted names, comments, dollar quotes, and casts.
TOKENS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|::|(?<![\w:]):([A-Za-z_]\w*)", re.DOTALL
)

# What one who calls may do: the key of their credentials, an action and a resource.
May = Callable[[str, str, str], bool]


class _Refused(Exception):
    """An error of the service."""

    def __init__(self, code: str, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.code, self.status, self.body = code, status, {"message": message, **more}


@dataclass
class DataApi:
    """The service, with one cluster.

    Attributes:
        url: Where it listens.
        cluster: ARN of the cluster.
        secrets: The URL of the database as the user of each secret, by the secret's ARN.
        may: Whether somebody may do something.
        seconds: After how many a statement is ended.
        most_bytes: How many a result may have.
        resuming: How many requests find the cluster paused.
        failing: Codes of errors that the next requests to execute a statement get.
        requests: Operation and parameters of each request.
    """

    url: str
    cluster: str
    secrets: dict[str, str]
    may: May = lambda _key, _action, _resource: True
    seconds: float = 45.0
    most_bytes: int = MIB
    resuming: int = 0
    failing: list[str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    transactions: dict[str, psycopg.Connection] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def answer(self, path: str, key: str, body: bytes) -> dict[str, Any]:
        """Give the response to one request."""
        if len(body) > 4 * MIB:
            raise _Refused("BadRequestException", "The request is larger than 4 MiB", 413)
        request = json.loads(body)
        operations = {
            "/Execute": ("ExecuteStatement", self._execute),
            "/BeginTransaction": ("BeginTransaction", self._begin),
            "/CommitTransaction": ("CommitTransaction", lambda each: self._end(each, "commit")),
            "/RollbackTransaction": ("RollbackTransaction", lambda each: self._end(each, "rollback")),
        }
        operation, work = operations[path]
        self.requests.append((operation, request))
        self._authorize(key, f"rds-data:{operation}", request["resourceArn"])
        # The service reads the secret as the one who calls.
        self._authorize(key, "secretsmanager:GetSecretValue", request["secretArn"])
        if request["resourceArn"] != self.cluster:
            raise _Refused("DatabaseNotFoundException", f"DBCluster {request['resourceArn']} not found", 404)
        if request["secretArn"] not in self.secrets:
            raise _Refused("SecretsErrorException", "Secrets Manager can't find the specified secret.")
        if self.resuming:
            self.resuming -= 1
            raise _Refused(
                "DatabaseResumingException", "The Aurora DB instance is resuming after being auto-paused. Please wait."
            )
        return work(request)

    def _authorize(self, key: str, action: str, resource: str) -> None:
        if not self.may(key, action, resource):
            text = f"User: {key} is not authorized to perform: {action} on resource: {resource}"
            raise _Refused("AccessDeniedException", text, 403)

    def _connect(self, request: Mapping[str, Any]) -> psycopg.Connection:
        connection = psycopg.connect(self.secrets[request["secretArn"]])
        connection.execute("SET timezone = 'UTC'")
        connection.commit()
        return connection

    def _begin(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = uuid4().hex
        connection = self._connect(request)
        connection.pgconn.exec_(b"BEGIN")
        self.transactions[name] = connection
        return {"transactionId": name}

    def _end(self, request: Mapping[str, Any], how: str) -> dict[str, Any]:
        connection = self._transaction(request)
        del self.transactions[request["transactionId"]]
        connection.pgconn.exec_(how.encode())
        connection.close()
        return {"transactionStatus": "Transaction Committed" if how == "commit" else "Rollback Complete"}

    def _transaction(self, request: Mapping[str, Any]) -> psycopg.Connection:
        try:
            return self.transactions[request["transactionId"]]
        except KeyError:
            name = request["transactionId"]
            raise _Refused("TransactionNotFoundException", f"Transaction {name} is not found", 404) from None

    def _execute(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self.failing:
            raise _Refused(self.failing.pop(0), "it failed", 500)
        if len(request["sql"]) > 65_536:
            raise _Refused("ValidationException", "Member must have length less than or equal to 65536")
        if "transactionId" in request:
            connection = self._transaction(request)
            try:
                return self._run(connection, request)
            except _Refused as error:
                if error.code in {"StatementTimeoutException", "UnsupportedResultException"}:
                    with suppress(_Refused):
                        self._end(request, "rollback")
                raise
        connection = self._connect(request)
        try:
            return self._run(connection, request)
        finally:
            connection.close()

    def _run(self, connection: psycopg.Connection, request: Mapping[str, Any]) -> dict[str, Any]:
        sql, values, oids = _positional(request["sql"], request.get("parameters") or [])
        timed_out: list[bool] = []

        def cancel() -> None:
            timed_out.append(True)
            connection.cancel()

        timer = Timer(self.seconds, cancel)
        timer.start()
        try:
            # The extended protocol, as drivers have it: one statement, with parameters beside it.
            done = connection.pgconn.exec_params(sql.encode(), values, oids)
        finally:
            timer.cancel()
        if timed_out and done.status == pq.ExecStatus.FATAL_ERROR and not request.get("continueAfterTimeout"):
            raise _Refused("StatementTimeoutException", "Request timed out", dbConnectionId=1)
        if done.status == pq.ExecStatus.FATAL_ERROR:
            raise _Refused("DatabaseErrorException", _error(done))
        return self._result(done, request)

    def _result(self, done: pq.abc.PGresult, request: Mapping[str, Any]) -> dict[str, Any]:
        if not done.nfields:
            return {"numberOfRecordsUpdated": int(done.command_tuples or 0), "generatedFields": []}
        names = [(done.fname(column) or b"").decode() for column in range(done.nfields)]
        kinds = [types[done.ftype(column)] for column in range(done.nfields)]
        is_array = [info.oid != done.ftype(column) for column, info in enumerate(kinds)]
        rows = []
        for row in range(done.ntuples):
            texts = [done.get_value(row, column) for column in range(done.nfields)]
            if sum(len(text or b"") for text in texts) > 64 * 1024:
                raise _Refused("UnsupportedResultException", "The result's row is too large: 64 KB is the limit")
            cells = zip(texts, kinds, is_array, strict=True)
            rows.append([_field(text, info.name, request, is_array=array) for text, info, array in cells])
        answer: dict[str, Any] = {"numberOfRecordsUpdated": 0, "generatedFields": []}
        if request.get("formatRecordsAs") == "JSON":
            records = [{name: _plain(cell) for name, cell in zip(names, row, strict=True)} for row in rows]
            return answer | {"formattedRecords": json.dumps(records)}
        answer["records"] = rows
        if request.get("includeResultMetadata"):
            columns = zip(names, kinds, is_array, strict=True)
            answer["columnMetadata"] = [_metadata(name, info.name, is_array=array) for name, info, array in columns]
        if len(json.dumps(answer)) > self.most_bytes:
            text = "Database returned more than the allowed response size limit"
            raise _Refused("UnsupportedResultException", text)
        return answer


def _positional(sql: str, parameters: list[dict[str, Any]]) -> tuple[str, list[bytes | None], list[int]]:
    """Write named parameters as PostgreSQL has them, `$1`, with a value and a type each."""
    given = {each["name"]: each for each in parameters}
    order: list[str] = []

    def place(found: re.Match[str]) -> str:
        name = found[2]
        if name is None:
            return found[0]
        if name not in given:
            raise _Refused("BadRequestException", f"Named parameter {name} has no value")
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    text = TOKENS.sub(place, sql)
    bound = [_bound(given[name]) for name in order]
    return text, [value for value, _ in bound], [oid for _, oid in bound]


def _bound(parameter: Mapping[str, Any]) -> tuple[bytes | None, int]:
    hint, ((member, value),) = parameter.get("typeHint"), parameter["value"].items()
    if member == "arrayValue":
        raise _Refused("BadRequestException", "Array parameters are not supported.")
    if member == "isNull":
        return None, types[HINTS[hint]].oid if hint else 0
    if member == "blobValue":
        return b"\\x" + base64.b64decode(value).hex().encode(), types["bytea"].oid
    if hint:
        if not re.fullmatch(FORMATS.get(hint, ".*"), value, re.DOTALL):
            raise _Refused("BadRequestException", f'Cannot parse date or time "{value}"')
        return value.encode(), types[HINTS[hint]].oid
    text = str(value).lower() if member == "booleanValue" else str(value)
    return text.encode(), types[MEMBERS[member]].oid


def _field(text: bytes | None, kind: str, request: Mapping[str, Any], *, is_array: bool) -> dict[str, Any]:
    if text is None:
        return {"isNull": True}
    if is_array:
        elements = _elements(text.decode())
        fields = [None if each is None else _scalar(each, kind, request) for each in elements]
        member = next((next(iter(each)) for each in fields if each is not None), "stringValue")
        return {"arrayValue": {f"{member}s": [None if each is None else each[member] for each in fields]}}
    return _scalar(text.decode(), kind, request)


def _scalar(text: str, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
    options = request.get("resultSetOptions") or {}
    if kind == "bool":
        return {"booleanValue": text == "t"}
    if kind in LONGS:
        return {"stringValue": text} if options.get("longReturnType") == "STRING" else {"longValue": int(text)}
    if kind in DOUBLES:
        return {"doubleValue": float(text)} if text[-1].isdigit() else {"stringValue": text}
    if kind == "bytea":
        return {"blobValue": base64.b64encode(bytes.fromhex(text[2:])).decode()}
    if kind == "numeric" and options.get("decimalReturnType") == "DOUBLE_OR_LONG":
        return {"doubleValue": float(text)} if "." in text else {"longValue": int(text)}
    if kind == "timestamptz":
        # Always in UTC, and without saying so.
        text = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    if kind not in STRINGS:
        raise _Refused("UnsupportedResultException", f"The result contains the unsupported data type {kind.upper()}.")
    return {"stringValue": text}


def _elements(text: str) -> list[str | None]:
    if text.startswith("{{"):
        raise _Refused("UnsupportedResultException", "The result contains a multidimensional array.")
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|([^,{}]+)', text.strip("{}") if text != "{}" else "")
    return [
        re.sub(r"\\(.)", r"\1", quoted) if not plain else None if plain == "NULL" else plain for quoted, plain in found
    ]


def _metadata(name: str, kind: str, *, is_array: bool) -> dict[str, Any]:
    return {
        "arrayBaseColumnType": NUMBERS.get(kind, 12) if is_array else 0,
        "isAutoIncrement": False,
        "isCaseSensitive": kind in STRINGS,
        "isCurrency": False,
        "isSigned": kind in LONGS | DOUBLES | {"numeric"},
        "label": name,
        "name": name,
        "nullable": 1,
        "precision": 0,
        "scale": 0,
        "schemaName": "",
        "tableName": "",
        "type": 2003 if is_array else NUMBERS.get(kind, 12),
        "typeName": f"_{kind}" if is_array else kind,
    }


def _plain(cell: dict[str, Any]) -> Any:
    ((member, value),) = cell.items()
    return None if member == "isNull" else next(iter(value.values())) if member == "arrayValue" else value


def _error(done: pq.abc.PGresult) -> str:
    def said(what: pq.DiagnosticField) -> str:
        return (done.error_field(what) or b"").decode()

    position = said(pq.DiagnosticField.STATEMENT_POSITION)
    place = f"; Position: {position}" if position else ""
    return f"ERROR: {said(pq.DiagnosticField.MESSAGE_PRIMARY)}{place}; SQLState: {said(pq.DiagnosticField.SQLSTATE)}"


class _Handler(BaseHTTPRequestHandler):
    service: DataApi
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        try:
            answer = self.service.answer(self.path, key[1] if key else "", body)
        except _Refused as error:
            self._send(error.status, error.body, error.code)
        else:
            self._send(200, answer)

    def _send(self, status: int, answer: dict[str, Any], code: str = "") -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def data_api(cluster: str, secrets: dict[str, str]) -> Iterator[DataApi]:
    """Run the service on this computer."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        host, port = server.server_address[:2]
        service = DataApi(f"http://{host!s}:{port}", cluster, secrets)
        handler.service = service  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
            for connection in service.transactions.values():
                connection.close()
