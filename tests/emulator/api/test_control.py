import json
from pathlib import Path
from typing import Any, NoReturn

import pytest

from command_line.errors import CommandError
from tests.support.running import Shoppers, client, running

ALL_OFF = {
    "triggersTwice": False,
    "triggersLate": False,
    "triggersOutOfOrder": False,
    "triggersOff": False,
    "storageDown": False,
    "warehouseDown": False,
}


class TestFaults:
    def test_some_are_switched_and_all_are_told(self, tmp_path: Path) -> None:
        """Switches that are not named stay as they are."""
        http = client(running(tmp_path))
        assert http.get("/api/faults").json() == ALL_OFF
        assert http.put("/api/faults", json={"storageDown": True}).json() == ALL_OFF | {"storageDown": True}
        both = ALL_OFF | {"storageDown": True, "triggersOutOfOrder": True}
        assert http.put("/api/faults", json={"triggersOutOfOrder": True}).json() == both
        assert http.put("/api/faults", json={}).json() == http.get("/api/faults").json() == both

    @pytest.mark.parametrize(
        "wanted", [{"storage": True}, {"storageDown": 1}, {"storageDown": "true"}, {"storageDown": None}]
    )
    def test_what_is_no_switch_is_an_error(self, tmp_path: Path, wanted: dict[str, Any]) -> None:
        """And switches nothing."""
        http = client(running(tmp_path))
        assert http.put("/api/faults", json=wanted).status_code == 400
        assert http.get("/api/faults").json() == ALL_OFF

    @pytest.mark.parametrize(
        "body", [r'{"\ud800": 1}', r'{"\udfff\ud800": true, "storageDown": "\ud800"}', r'{"é\u0000": 1}']
    )
    def test_a_name_that_is_no_text_is_quoted_all_the_same(self, tmp_path: Path, body: str) -> None:
        """A lone surrogate in JSON is an unknown name like any other, not a failure of the server."""
        answer = client(running(tmp_path)).put("/api/faults", content=body)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith(f"unknown: {next(iter(json.loads(body)))}")

    def test_what_cannot_be_switched_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As with a warehouse that is not ours."""

        def refuse(**_wanted: bool) -> NoReturn:
            raise CommandError("the warehouse cannot be switched off from here")

        stack = running(tmp_path)
        monkeypatch.setattr(stack.faults, "switch", refuse)
        answer = client(stack).put("/api/faults", json={"warehouseDown": True})
        assert (answer.status_code, answer.json()["message"]) == (409, "the warehouse cannot be switched off from here")


class TestReset:
    def test_it_is_done_when_it_is_answered(self, tmp_path: Path) -> None:
        """By a POST only."""
        stack = running(tmp_path)
        http = client(stack)
        assert http.get("/api/reset").status_code == 405
        assert http.post("/api/reset").json() == {"success": True}
        assert vars(stack.reset)["count"] == 1


class TestShoppers:
    def test_they_come_and_go(self, tmp_path: Path) -> None:
        """As many, and as quick, as asked for."""
        stack = running(tmp_path)
        http = client(stack)
        assert http.get("/api/shoppers").json() == {"running": False}
        answer = http.post("/api/shoppers", json={"sessions": 3, "rate": 0.5})
        assert (answer.status_code, answer.json()) == (202, {"running": True})
        assert http.delete("/api/shoppers").json() == {"running": False}
        assert isinstance(stack.shoppers, Shoppers)
        assert stack.shoppers.started == [(3, 0.5)]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"sessions": 0},
            {"sessions": 1.5},
            {"sessions": "3"},
            {"sessions": True},
            {"rate": 0},
            {"rate": 1e9},
            {"speed": 1},
        ],
    )
    def test_wrong_numbers(self, tmp_path: Path, wanted: dict[str, Any]) -> None:
        """Are said, and nobody comes."""
        stack = running(tmp_path)
        assert client(stack).post("/api/shoppers", json=wanted).status_code == 400
        assert isinstance(stack.shoppers, Shoppers)
        assert stack.shoppers.started == []
