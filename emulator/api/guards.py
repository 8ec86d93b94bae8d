"""Guards of the web server: it answers loopback names only, runs its own scripts only, and obeys no other site."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.api.responses import json_response

__all__ = ["guards"]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def guards(ingest_url: str) -> list[Middleware]:
    """Make every guard. Pages may talk to this server and to `ingest_url`, and run only this server's scripts."""
    policy = (
        f"default-src 'self'; connect-src 'self' {ingest_url}; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )
    return [
        Middleware(_SafeHeaders, policy=policy),
        # A foreign page whose host name resolves to 127.0.0.1 (DNS rebinding) must not read a shop's events.
        Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
        Middleware(_SameOrigin),
    ]


class _SameOrigin:
    """Refuses requests of pages from another origin that would change the stack; programs send no origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and origin != f"http://{headers.get('host')}":
                message = f"a page from {origin} may not change this stack: use the stack's own page, or a program"
                await json_response({"success": False, "message": message}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _SafeHeaders:
    """Adds the headers that every response has."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", self._policy)  # the dashboard has a stricter one
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-cache")  # so that a new version of a script is used at once
            await send(message)

        await self._app(scope, receive, send_with_headers)
