"""Faults, shoppers and reset: what changes the running stack."""

import json
from dataclasses import asdict, fields
from re import sub
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.api.parameters import body_of, check_names
from emulator.api.responses import Problem, json_response
from emulator.api.running import Running
from emulator.shoppers.crowd import FASTEST, MOST_SESSIONS, SLOWEST
from emulator.stack.faults import Faults

__all__ = ["routes"]

# As the API spells them, and as the code does: triggersTwice → triggers_twice.
SWITCHES = {sub("_(.)", lambda match: match[1].upper(), field.name): field.name for field in fields(Faults)}


def routes(running: Running) -> list[Route]:
    """The routes of all three."""

    def get_faults(_request: Request) -> Response:
        return json_response(_faults(running.faults.current))

    async def put_faults(request: Request) -> Response:
        wanted = await body_of(request)
        check_names(wanted, SWITCHES)
        if not all(isinstance(value, bool) for value in wanted.values()):
            raise Problem(400, "a fault is switched with true or false")
        switches = {SWITCHES[name]: value for name, value in wanted.items()}
        return json_response(_faults(await run_in_threadpool(running.faults.switch, **switches)))

    def post_reset(_request: Request) -> Response:
        running.reset()
        return json_response({"success": True})

    def get_shoppers(_request: Request) -> Response:
        return json_response(running.shoppers.status())

    async def post_shoppers(request: Request) -> Response:
        wanted = await body_of(request)
        check_names(wanted, ("sessions", "rate"))
        sessions, rate = wanted.get("sessions", 20), wanted.get("rate", 10)
        _check_range("sessions", sessions, 1, MOST_SESSIONS)
        _check_range("rate", rate, SLOWEST, FASTEST)
        if not isinstance(sessions, int):
            raise Problem(400, "sessions is a whole number")
        await run_in_threadpool(running.shoppers.start, sessions, float(rate))
        return json_response(running.shoppers.status(), 202)

    def delete_shoppers(_request: Request) -> Response:
        running.shoppers.stop()
        return json_response(running.shoppers.status())

    return [
        Route("/api/faults", get_faults, methods=["GET"]),
        Route("/api/faults", put_faults, methods=["PUT"]),
        Route("/api/reset", post_reset, methods=["POST"]),
        Route("/api/shoppers", get_shoppers, methods=["GET"]),
        Route("/api/shoppers", post_shoppers, methods=["POST"]),
        Route("/api/shoppers", delete_shoppers, methods=["DELETE"]),
    ]


def _faults(faults: Faults) -> dict[str, Any]:
    values = asdict(faults)
    return {name: values[field] for name, field in SWITCHES.items()}


def _check_range(name: str, value: object, low: float, high: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise Problem(400, f"{name} is a number from {low:,g} to {high:,g}, not {json.dumps(value)}")
