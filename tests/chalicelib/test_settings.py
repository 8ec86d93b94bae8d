import pytest

from chalicelib.errors import SettingsError
from chalicelib.settings import Settings, price_decimals


class TestSettings:
    def test_an_empty_environment_gives_the_defaults(self) -> None:
        """Unset and empty are the same."""
        expected = Settings("clickstream-s3-ingest", frozenset({"*"}), 1024 * 1024, "")
        assert Settings.from_environment({}) == expected
        assert (
            Settings.from_environment({"RAW_BUCKET_NAME": "", "MAX_EVENT_BYTES": "", "ALLOWED_ORIGINS": ""}) == expected
        )

    def test_every_variable_is_read(self) -> None:
        """Origins become what a browser would send."""
        settings = Settings.from_environment(
            {
                "RAW_BUCKET_NAME": "raw",
                "ALLOWED_ORIGINS": "https://Shop.example/, https://m.shop.example ,",
                "MAX_EVENT_BYTES": "10",
                "DW_URL": "postgresql://dw/clickstream_dw",
                "DW_SECRET_ARN": "arn:of:secret",
                "DW_PARAMETER_NAME": "/clickstream/dev/warehouse",
                "API_KEY_SHA256": f"{'A' * 64}, {'b' * 64}",
                "ALLOWED_HEADERS": "X-Shop-Id, traceparent ,",
                "PRICE_DECIMALS": "2",
                "DW_WRITER_SECRET_ARN": "arn:of:writer",
                "DW_READER_SECRET_ARN": "arn:of:reader",
                "METRICS_NAMESPACE": "clickstream/dev",
                "STORE_IP": "truncated",
                "DW_MAY_PAUSE": "yes",
                "TRIGGER": "sqs",
            }
        )
        origins = frozenset({"https://shop.example", "https://m.shop.example"})
        assert settings == Settings(
            "raw",
            origins,
            10,
            "postgresql://dw/clickstream_dw",
            "arn:of:secret",
            "/clickstream/dev/warehouse",
            frozenset({"a" * 64, "b" * 64}),
            ("X-Shop-Id", "traceparent"),
            2,
            "arn:of:writer",
            "arn:of:reader",
            "clickstream/dev",
            "truncated",
            dw_may_pause=True,
            trigger="sqs",
        )

    @pytest.mark.parametrize("value", ["SQS", "lambda", "s3,sqs", " s3"])
    def test_a_trigger_that_is_none_is_named(self, value: str) -> None:
        """It is S3 itself, or SQS."""
        with pytest.raises(SettingsError, match="TRIGGER must be s3 or sqs, not"):
            Settings.from_environment({"TRIGGER": value})

    @pytest.mark.parametrize("value", ["0", "-1", "1.5", "1MB", "²"])
    def test_a_size_that_is_none_is_named(self, value: str) -> None:
        """The error says which variable, and what it holds."""
        with pytest.raises(SettingsError, match="MAX_EVENT_BYTES must be a whole number above 0, not"):
            Settings.from_environment({"MAX_EVENT_BYTES": value})

    @pytest.mark.parametrize("value", ["-1", "7", "1.5", "02", "two", "²", " 2"])
    def test_decimals_that_are_none_are_named(self, value: str) -> None:
        """Prices have 0 to 6."""
        with pytest.raises(SettingsError, match="PRICE_DECIMALS must be a whole number from 0 to 6, not"):
            Settings.from_environment({"PRICE_DECIMALS": value})

    def test_decimals_can_be_read_alone(self) -> None:
        """By whoever has no other setting; unset and empty are 0."""
        read = [price_decimals(environment) for environment in ({}, {"PRICE_DECIMALS": ""}, {"PRICE_DECIMALS": "6"})]
        assert read == [0, 0, 6]

    @pytest.mark.parametrize("value", ["secret", "a" * 63, ",", f"{'a' * 64},secret"])
    def test_a_digest_that_is_none_is_refused(self, value: str) -> None:
        """It would let in nobody, or anybody; a key put there by mistake is not repeated."""
        with pytest.raises(SettingsError, match="API_KEY_SHA256 must be SHA-256 digests in hex") as raised:
            Settings.from_environment({"API_KEY_SHA256": value})
        assert "secret" not in str(raised.value)

    @pytest.mark.parametrize("value", ["X Shop", "X-Shop;traceparent", "X-Shöp"])
    def test_a_header_that_is_none_is_named(self, value: str) -> None:
        """Browsers would ignore the others too."""
        with pytest.raises(SettingsError, match="ALLOWED_HEADERS must be names of HTTP headers"):
            Settings.from_environment({"ALLOWED_HEADERS": value})

    @pytest.mark.parametrize(("name", "value"), [("STORE_IP", "no"), ("STORE_IP", "Full"), ("DW_MAY_PAUSE", "true")])
    def test_a_word_that_is_none_of_the_known_ones_is_named(self, name: str, value: str) -> None:
        """A mistyped `STORE_IP` must not keep addresses that nobody wants to keep."""
        with pytest.raises(SettingsError, match=f"{name} must be .*, not {value!r}"):
            Settings.from_environment({name: value})

    def test_the_password_is_not_shown(self) -> None:
        """A settings object can be logged."""
        assert "hidden" not in repr(Settings.from_environment({"DW_URL": "postgresql://user:hidden@host/db"}))
