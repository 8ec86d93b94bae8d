import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request

from emulator.api.parameters import body_of, check_names, integer, moment, number
from emulator.api.responses import Problem
from tests.support.running import client, running


class TestCheckNames:
    def test_a_misspelled_name_is_no_missing_filter(self) -> None:
        """The answer names it, and what is known."""
        check_names(["count"], ("count", "since"))
        with pytest.raises(Problem, match="unknown: Count, x; known: count, since"):
            check_names(["x", "Count", "since"], ("count", "since"))


class TestInteger:
    def test_whole_numbers_within_bounds(self) -> None:
        """Or the default."""
        assert integer(QueryParams("n=5"), "n", 1, 1, 10) == 5
        assert integer(QueryParams(""), "n", 1, 1, 10) == 1

    @pytest.mark.parametrize("text", ["0", "11", "-1", "1.5", "", "x", "٣", "9" * 5000])
    def test_anything_else_is_a_problem(self, text: str) -> None:
        """Which says what would do."""
        with pytest.raises(Problem, match="n must be a whole number from 1 to 10, not"):
            integer(QueryParams({"n": text}), "n", 1, 1, 10)


class TestNumber:
    def test_numbers_within_bounds(self) -> None:
        """Or the default."""
        assert number(QueryParams("n=0.5"), "n", 1, 0, 10) == 0.5
        assert number(QueryParams(""), "n", 1, 0, 10) == 1

    @pytest.mark.parametrize("text", ["-0.1", "11", "nan", "inf", "", "x"])
    def test_anything_else_is_a_problem(self, text: str) -> None:
        """Which says what would do."""
        with pytest.raises(Problem, match="n must be a number from 0 to 10, not"):
            number(QueryParams({"n": text}), "n", 1, 0, 10)


class TestMoment:
    @pytest.mark.parametrize(
        "text", ["2026-11-25T09:30:00Z", "2026-11-25T10:30:00+01:00", "2026-11-25T10:30:00 01:00", "2026-11-25 09:30"]
    )
    def test_iso_8601(self, text: str) -> None:
        """UTC without an offset; also where a `+` became a space on its way."""
        assert moment(QueryParams({"since": text}), "since") == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)

    def test_none(self) -> None:
        """Where there is none."""
        assert moment(QueryParams(""), "since") is None

    def test_anything_else_is_a_problem(self) -> None:
        """Which shows an example."""
        with pytest.raises(Problem, match="such as 2026-11-25T09:30:00Z, not 'yesterday'"):
            moment(QueryParams("since=yesterday"), "since")


class TestBodyOf:
    @pytest.mark.parametrize("is_named", [True, False])
    def test_a_body_that_is_too_large_is_not_read_to_its_end(self, *, is_named: bool) -> None:
        """413: not a byte of it is read if its length is named, else at most one piece too many."""
        pieces = iter(range(300))

        async def receive() -> dict[str, Any]:
            next(pieces)
            return {"type": "http.request", "body": b" " * 2**20, "more_body": True}

        headers = [(b"content-length", b"314572800")] if is_named else []
        request = Request({"type": "http", "method": "PUT", "path": "/", "headers": headers}, receive)
        with pytest.raises(Problem, match="the body is too large: at most 1,048,576 bytes are accepted") as caught:
            asyncio.run(body_of(request))
        assert caught.value.status == 413
        assert next(pieces) == (0 if is_named else 2)

    @pytest.mark.parametrize("body", ["", "{", "[]", "1", "null", "[" * 100_000])
    def test_only_a_json_object_will_do(self, tmp_path: Path, body: str) -> None:
        """Anything else gets an answer that says so."""
        answer = client(running(tmp_path)).put("/api/faults", content=body)
        assert (answer.status_code, answer.json()["message"]) == (400, "the body must be a JSON object")
