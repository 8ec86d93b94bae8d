"""Responses of the API: JSON that is never cached, and errors that tell what to do."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from command_line.errors import CommandError

__all__ = ["Problem", "command_error_response", "json_response", "problem_response", "unforeseen_response"]


class Problem(Exception):
    """A request that cannot be fulfilled.

    Args:
        status: HTTP status of the response.
        message: What is wrong, and what to do.
        details: Further members of the response's JSON object.
    """

    def __init__(self, status: int, message: str, **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.details = details


class _AsciiResponse(JSONResponse):
    """JSON in ASCII: UTF-8 has no lone surrogates, but a request and the name of a file may."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401  # whatever JSON can say
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def json_response(content: dict[str, Any], status: int = 200) -> JSONResponse:
    """Make a response with a JSON object."""
    return _AsciiResponse(content, status, headers={"Cache-Control": "no-store"})


def problem_response(_request: Request, problem: Exception) -> JSONResponse:
    """Make the response to a Problem, in the same shape as the errors of ingest."""
    assert isinstance(problem, Problem)  # noqa: S101  # it is registered for these only
    return json_response({"success": False, "message": str(problem), **problem.details}, problem.status)


def command_error_response(_request: Request, error: Exception) -> JSONResponse:
    """Make the response to a CommandError: the stack cannot do this now."""
    assert isinstance(error, CommandError)  # noqa: S101  # as above
    return json_response({"success": False, "message": error.message}, 409)


def unforeseen_response(_request: Request, error: Exception) -> JSONResponse:
    """Make the response to an unforeseen error; its stack trace goes to standard error."""
    return json_response(
        {"success": False, "message": f"internal error ({type(error).__name__}): see the terminal of the stack"}, 500
    )
