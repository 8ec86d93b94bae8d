"""Responses of the API: JSON that nobody caches, and problems that say what to do."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from command_line.errors import CommandError

__all__ = ["Problem", "command_error_response", "json_response", "problem_response", "unforeseen_response"]


class Problem(Exception):
    """A request that cannot be answered as asked: an HTTP status, what is wrong and what to do, and details."""

    def __init__(self, status: int, message: str, **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.details = details


def json_response(content: dict[str, Any], status: int = 200) -> JSONResponse:
    """Answer with a JSON object."""
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})


def problem_response(_request: Request, problem: Exception) -> JSONResponse:
    """Answer with a Problem, in the shape of ingest's own errors."""
    assert isinstance(problem, Problem)  # noqa: S101  # it is registered for these only
    return json_response({"success": False, "message": str(problem), **problem.details}, problem.status)


def command_error_response(_request: Request, error: Exception) -> JSONResponse:
    """Answer with what the stack cannot do now."""
    assert isinstance(error, CommandError)  # noqa: S101  # as above
    return json_response({"success": False, "message": error.message}, 409)


def unforeseen_response(_request: Request, error: Exception) -> JSONResponse:
    """Answer where nobody foresaw the error; its trace goes to standard error."""
    return json_response(
        {"success": False, "message": f"internal error ({type(error).__name__}): see the terminal"}, 500
    )
