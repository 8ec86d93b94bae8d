import pytest

from chalicelib.errors import SettingsError
from chalicelib.settings import Settings


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
            }
        )
        origins = frozenset({"https://shop.example", "https://m.shop.example"})
        assert settings == Settings("raw", origins, 10, "postgresql://dw/clickstream_dw")

    @pytest.mark.parametrize("value", ["0", "-1", "1.5", "1MB", "²"])
    def test_a_size_that_is_none_is_named(self, value: str) -> None:
        """The error says which variable, and what it holds."""
        with pytest.raises(SettingsError, match="MAX_EVENT_BYTES must be a whole number above 0, not"):
            Settings.from_environment({"MAX_EVENT_BYTES": value})

    def test_the_password_is_not_shown(self) -> None:
        """A settings object can be logged."""
        assert "secret" not in repr(Settings.from_environment({"DW_URL": "postgresql://user:secret@host/db"}))
