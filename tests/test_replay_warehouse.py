import pytest

from emulator.errors import EmulatorError
from emulator.replay.warehouse import PostgresWarehouse


class TestPostgresWarehouse:
    """The warehouse when it is not there; with a real one, the end-to-end test looks."""

    def test_url_that_is_none_keeps_its_password(self) -> None:
        """A URL that cannot be parsed is not quoted, since it may hold a password."""
        with pytest.raises(EmulatorError, match="refuses its URL") as caught:
            PostgresWarehouse("postgresql//u:hidden@host/db").known([])
        assert "hidden" not in caught.value.message
