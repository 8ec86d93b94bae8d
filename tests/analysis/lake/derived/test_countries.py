from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.lake.derived.countries import country_of


class TestCountryOf:
    @pytest.mark.parametrize(
        ("zone", "country"),
        [
            ("Asia/Ho_Chi_Minh", "VN"),
            ("Asia/Saigon", "VN"),
            ("Asia/Bangkok", "TH"),
            ("Asia/Vientiane", "LA"),
            ("Asia/Calcutta", "IN"),
            ("America/New_York", "US"),
            ("US/Pacific", "US"),
            ("America/Argentina/Buenos_Aires", "AR"),
            ("America/Buenos_Aires", "AR"),
            ("Europe/Berlin", "DE"),
            ("Europe/Amsterdam", "NL"),
            ("Europe/Kyiv", "UA"),
            ("Europe/Kiev", "UA"),
            ("Singapore", "SG"),
            ("GB", "GB"),
        ],
    )
    def test_it_is_the_country_of_the_zone(self, zone: str, country: str) -> None:
        """Old names, which some browsers still use, count as the present ones."""
        assert country_of(zone) == country

    @pytest.mark.parametrize(
        ("zone", "country"),
        [
            ("Iceland", "IS"),
            ("Africa/Asmera", "ER"),
            ("America/Coral_Harbour", "CA"),
            ("America/Virgin", "VI"),
            ("Pacific/Truk", "FM"),
            ("Africa/Timbuktu", "ML"),
        ],
    )
    def test_an_old_name_does_not_move_abroad(self, zone: str, country: str) -> None:
        """Though the database links it to a zone of another country, whose clocks are the same."""
        assert country_of(zone) == country

    @pytest.mark.parametrize(
        "zone", [None, "", "UTC", "GMT", "Zulu", "Etc/UTC", "Etc/GMT+7", "CET", "EST", "EST5EDT", "Factory", "Mars/X"]
    )
    def test_clocks_of_no_country_say_nothing(self, zone: str | None) -> None:
        """Nor do names that nobody knows."""
        assert country_of(zone) is None

    def test_every_zone_with_a_place_has_a_country(self) -> None:
        """Each name of the database with a region; the regions that are no places do not."""
        names = (files("tzdata") / "zones").read_text().split()
        assert [name for name in names if "/" in name and not name.startswith("Etc/") and not country_of(name)] == []

    @given(st.text())
    def test_any_text_is_read(self, zone: str) -> None:
        """Without an error."""
        assert country_of(zone) is None or len(zone) > 1
