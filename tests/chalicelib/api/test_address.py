import pytest

from chalicelib.api.address import stored_address


class TestStoredAddress:
    @pytest.mark.parametrize(
        ("address", "kept"),
        [
            ("203.0.113.77", "203.0.113.0"),
            ("2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8:1234::"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
            ("test-invoke-source-ip", None),
            ("", None),
            (None, None),
        ],
    )
    def test_truncated_keeps_the_network_only(self, address: str | None, kept: str | None) -> None:
        """24 bits of IPv4 and 48 of IPv6; text that is no address has no network, so nothing of it is kept."""
        assert stored_address(address, "truncated") == kept

    @pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8::1", "test-invoke-source-ip", None])
    def test_full_keeps_what_the_gateway_saw(self, address: str | None) -> None:
        """Unchanged, whatever it is."""
        assert stored_address(address, "full") == address

    @pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8::1", None])
    def test_none_keeps_nothing(self, address: str | None) -> None:
        """Null, as for an address that is unknown."""
        assert stored_address(address, "none") is None
