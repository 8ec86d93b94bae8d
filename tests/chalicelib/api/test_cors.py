import pytest

from chalicelib.api.cors import TRACING_HEADERS, cors_headers, preflight_headers

SHOPS = frozenset({"https://shop.example", "https://m.shop.example"})


class TestCorsHeaders:
    @pytest.mark.parametrize("origin", ["https://shop.example", "https://m.shop.example", "HTTPS://Shop.example"])
    def test_any_allowed_origin_is_echoed(self, origin: str) -> None:
        """Each of several, as the browser spelled it, and caches are told that it depends on it."""
        headers = cors_headers(SHOPS, origin)
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Vary"] == "Origin"

    @pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil.example", "null", "", None])
    def test_any_other_is_not(self, origin: str | None) -> None:
        """No header: the browser then keeps the answer from the page."""
        assert "Access-Control-Allow-Origin" not in cors_headers(SHOPS, origin)

    def test_a_star_allows_everyone(self) -> None:
        """Without credentials, which are never allowed."""
        headers = cors_headers(frozenset({"*"}), "https://any.example")
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in headers

    def test_pages_may_read_when_to_try_again(self) -> None:
        """Browsers hide `Retry-After` from scripts otherwise."""
        assert cors_headers(SHOPS, None)["Access-Control-Expose-Headers"] == "Retry-After"


class TestPreflightHeaders:
    def test_a_preflight_holds_for_a_day_and_allows_what_the_publisher_sends(self) -> None:
        """POST with JSON, an API key or a token."""
        headers = preflight_headers(())
        assert headers["Access-Control-Max-Age"] == "86400"
        assert "POST" in headers["Access-Control-Allow-Methods"]
        for name in ("Content-Type", "Content-Encoding", "Authorization", "X-Api-Key"):
            assert name in headers["Access-Control-Allow-Headers"]

    def test_other_headers_are_allowed_by_name(self) -> None:
        """Besides the headers that ingest reads itself."""
        allowed = preflight_headers(("X-Shop-Id", "traceparent"))["Access-Control-Allow-Headers"].split(", ")
        assert {"Content-Type", "X-Api-Key", "X-Shop-Id", "traceparent"} <= set(allowed)

    @pytest.mark.parametrize(
        "name",
        [
            "traceparent",
            "tracestate",
            "baggage",
            "b3",
            "x-b3-traceid",
            "sentry-trace",
            "x-datadog-trace-id",
            "newrelic",
        ],
    )
    def test_tracing_agents_are_known(self, name: str) -> None:
        """What they add to the requests of a page."""
        assert name in TRACING_HEADERS
