import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.lake.derived.addresses import PageAddress, host_of, page_address
from analysis.lake.derived.channels import CLICK_IDS


class TestPageAddress:
    def test_it_takes_an_address_apart(self) -> None:
        """The host without user and port, the path as requested, and the values decoded."""
        address = (
            "https://user:secret@WWW.Shop.example:8443/b%C3%A0n%20gh%E1%BA%BF/x?utm_source=news&utm_medium=email"
            "&utm_campaign=T%E1%BA%BFt+2026&utm_term=t%C3%BAi&utm_content=a%26b&q=t%C3%BAi+l%E1%BB%A5a&gclid=Cj0K#top"
        )
        assert page_address(address) == PageAddress(
            "www.shop.example",
            "/b%C3%A0n%20gh%E1%BA%BF/x",
            "túi lụa",
            "news",
            "email",
            "Tết 2026",
            "túi",
            "a&b",
            "gclid",
            "Cj0K",
        )

    @pytest.mark.parametrize(
        ("address", "host", "path"),
        [
            ("https://shop.example", "shop.example", "/"),
            ("HTTP://SHOP.EXAMPLE/A", "shop.example", "/A"),
            ("http://[2001:DB8::1]:8080/x", "[2001:db8::1]", "/x"),
            ("http://192.0.2.7/", "192.0.2.7", "/"),
            ("https://bücher.example/ä", "xn--bcher-kva.example", "/%C3%A4"),
            ("https://shop.example/%zz%4", "shop.example", "/%zz%4"),
            ("https://shop.example/a/../b", "shop.example", "/b"),
        ],
    )
    def test_hosts_and_paths_are_those_of_the_browser(self, address: str, host: str, path: str) -> None:
        """IPv6, ports, international names, and invalid percent encoding included."""
        assert page_address(address)[:2] == (host, path)

    @pytest.mark.parametrize(
        "address",
        [
            None,
            "",
            "/product/1",
            "shop.example/product",
            "about:blank",
            "data:text/html,x",
            "javascript:void(0)",
            "file:///tmp/shop.html",
            "http://[::1/",
            "https://exa mple/",
            "https://shop.example:99999/",
            "https://",
            "\0",
        ],
    )
    def test_what_is_no_address_with_a_host_says_nothing(self, address: str | None) -> None:
        """It raises no error either."""
        assert page_address(address) == PageAddress()

    @pytest.mark.parametrize("name", ["q", "s", "search", "query", "keyword"])
    def test_a_search_term_is_in_a_default_parameter_of_ga4(self, name: str) -> None:
        """An empty one says nothing."""
        assert page_address(f"https://shop.example/?{name}=lamp").search_term == "lamp"
        assert page_address(f"https://shop.example/?{name}=").search_term is None
        assert page_address("https://shop.example/?term=lamp").search_term is None

    def test_the_first_search_parameter_decides(self) -> None:
        """In the order of GA4, not of the address."""
        assert page_address("https://shop.example/?keyword=b&q=a").search_term == "a"

    def test_the_first_value_of_a_name_decides(self) -> None:
        """An empty one is passed over, and the case of names does not matter."""
        found = page_address("https://shop.example/?utm_source=&UTM_Source=a&utm_source=b")
        assert (found.utm_source, found.utm_medium) == ("a", None)

    @pytest.mark.parametrize("name", CLICK_IDS)
    def test_it_knows_click_ids(self, name: str) -> None:
        """By the name that the advertiser's help uses, however the address spells it."""
        assert page_address(f"https://shop.example/?{name}=X1_y")[-2:] == (name, "X1_y")
        assert page_address(f"https://shop.example/?{name.lower()}=X1_y")[-2:] == (name, "X1_y")

    @pytest.mark.parametrize(
        ("query", "value"),
        [("%E1%BA%BF", "ế"), ("%zz", "%zz"), ("%ff", "\N{REPLACEMENT CHARACTER}"), ("a%00b", "a\0b")],
    )
    def test_values_are_decoded_as_far_as_they_can_be(self, query: str, value: str) -> None:
        """What is no UTF-8 becomes a replacement character."""
        assert page_address(f"https://shop.example/?utm_source={query}").utm_source == value

    @given(st.text() | st.from_regex(r"https?://.{0,30}", fullmatch=True))
    def test_any_text_is_read(self, address: str) -> None:
        """Without an error; a host is never empty, and every text can be written as UTF-8."""
        found = page_address(address)
        assert found.page_host != ""
        assert all(value is None or value.encode() for value in found[2:])


class TestHostOf:
    def test_it_is_the_host_of_the_page_before(self) -> None:
        """Also of an app on Android."""
        assert host_of("https://www.google.com.vn/") == "www.google.com.vn"
        assert host_of("android-app://com.google.android.gm/") == "com.google.android.gm"
        assert host_of("") is host_of(None) is host_of("nonsense") is None
