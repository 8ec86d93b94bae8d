"""Guards of the dashboard's server: it answers loopback names only, and its page runs no script but its own."""

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["POLICY", "guards"]

# Neither inline scripts and styles, nor `eval`, nor any other site.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def guards() -> list[Middleware]:
    """Make every guard. The server only reads, so no request of another site can change anything."""
    return [
        Middleware(_SafeHeaders),
        # A foreign page whose host name resolves to 127.0.0.1 (DNS rebinding) must not read a shop's events.
        Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
    ]


class _SafeHeaders:
    """Adds the headers that every response has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"  # an address names a shop's products and campaigns
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers.setdefault("Cache-Control", "no-cache")  # so that a new version of a script is used at once
            await send(message)

        await self._app(scope, receive, send_with_headers)
