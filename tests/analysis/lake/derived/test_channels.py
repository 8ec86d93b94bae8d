import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.lake.derived.channels import CLICK_IDS, RULES, UNASSIGNED, acquisition_channel

SHOP = "shop.example"


def by_campaign(
    source: str | None, medium: str | None, campaign: str | None = None, click: str | None = None
) -> str | None:
    return acquisition_channel(SHOP, None, source, medium, campaign, click)


class TestAcquisitionChannel:
    @pytest.mark.parametrize(
        ("source", "medium", "campaign", "channel"),
        [
            ("(direct)", "(none)", None, "Direct"),
            ("google", "cpc", "2026 cross-network", "Cross-network"),
            ("amazon", "cpc", None, "Paid Shopping"),
            ("google", "cpc", "shopping tet", "Paid Shopping"),
            ("google", "cpc", "e-shop", "Paid Shopping"),
            ("google", "cpc", "eshop tet", "Paid Shopping"),
            ("google", "cpc", "workshop", "Paid Search"),
            ("google", "cpc", None, "Paid Search"),
            ("Google", "CPC", None, "Paid Search"),
            ("bing", "ppc", None, "Paid Search"),
            ("facebook", "paid_social", None, "Paid Social"),
            ("facebook.com", "retargeting", None, "Paid Social"),
            ("fb", "cpm", None, "Paid Social"),
            ("news", "cpv", None, "Paid Other"),
            ("youtube", "cpc", None, "Paid Video"),
            ("news", "cpm", None, "Display"),
            ("news", "banner", None, "Display"),
            ("news", "cpa", None, "Paid Other"),
            ("news", "paid", None, "Paid Other"),
            ("etsy.com", "referral", None, "Organic Shopping"),
            ("news", "post", "Spring shop", "Organic Shopping"),
            ("zalo", None, None, "Organic Social"),
            ("news", "social-media", None, "Organic Social"),
            ("vimeo", None, None, "Organic Video"),
            ("news", "short_video", None, "Organic Video"),
            ("google", "organic", None, "Organic Search"),
            ("news", "organic", None, "Organic Search"),
            ("chatgpt.com", "ai-assistant", None, "AI Assistant"),
            ("chatgpt.com", None, None, "AI Assistant"),
            ("chatgpt.com", "referral", None, "Referral"),
            ("news", "referral", None, "Referral"),
            ("news", "link", None, "Referral"),
            ("newsletter", "email", None, "Email"),
            ("e-mail", None, None, "Email"),
            ("partner", "affiliate", None, "Affiliates"),
            ("podcast", "audio", None, "Audio"),
            ("sms", None, None, "SMS"),
            ("brandname", "sms", None, "SMS"),
            ("app", "web_push", None, "Mobile Push Notifications"),
            ("app", "mobile", None, "Mobile Push Notifications"),
            ("firebase", None, None, "Mobile Push Notifications"),
            ("newsletter", "newsletter", None, "Unassigned"),
            (None, None, "tet", "Unassigned"),
        ],
    )
    def test_utm_parameters_decide_by_the_rules_of_ga4(
        self, source: str | None, medium: str | None, campaign: str | None, channel: str
    ) -> None:
        """In their published order, in which the first that holds decides; case does not matter."""
        assert by_campaign(source, medium, campaign) == channel

    @pytest.mark.parametrize(
        ("referrer", "channel"),
        [
            (None, "Direct"),
            ("www.google.com", "Organic Search"),
            ("www.google.com.vn", "Organic Search"),
            ("www.bing.com", "Organic Search"),
            ("vn.search.yahoo.com", "Organic Search"),
            ("duckduckgo.com", "Organic Search"),
            ("accounts.google.com", "Referral"),
            ("google.attacker.example", "Referral"),
            ("www.facebook.com", "Organic Social"),
            ("l.facebook.com", "Organic Social"),
            ("vn.linkedin.com", "Organic Social"),
            ("t.co", "Organic Social"),
            ("notfacebook.com", "Referral"),
            ("facebook.com.attacker.example", "Referral"),
            ("m.youtube.com", "Organic Video"),
            ("www.etsy.com", "Organic Shopping"),
            ("chatgpt.com", "AI Assistant"),
            ("gemini.google.com", "AI Assistant"),
            ("blog.example", "Referral"),
            ("192.0.2.7", "Referral"),
            ("[2001:db8::1]", "Referral"),
        ],
    )
    def test_without_a_campaign_the_referrer_decides(self, referrer: str | None, channel: str) -> None:
        """Direct without one."""
        assert acquisition_channel(SHOP, referrer, None, None, None, None) == channel

    @pytest.mark.parametrize(
        ("page", "referrer"),
        [
            (SHOP, SHOP),
            (f"www.{SHOP}", SHOP),
            (SHOP, f"www.{SHOP}"),
            (SHOP, f"checkout.{SHOP}"),
            (f"m.{SHOP}", SHOP),
        ],
    )
    def test_a_page_of_the_same_site_begins_no_acquisition(self, page: str, referrer: str) -> None:
        """Unless its address names a campaign."""
        assert acquisition_channel(page, referrer, None, None, None, None) is None
        assert acquisition_channel(page, referrer, "news", "email", None, None) == "Email"
        assert acquisition_channel(page, referrer, None, None, None, "gclid") == "Paid Search"

    def test_another_site_is_not_the_same(self) -> None:
        """Though its name ends alike."""
        assert acquisition_channel(SHOP, "myshop.example", None, None, None, None) == "Referral"

    def test_an_unknown_page_says_nothing(self) -> None:
        """Whatever the referrer is."""
        assert acquisition_channel(None, "www.google.com", None, None, None, None) is None

    @pytest.mark.parametrize("name", CLICK_IDS)
    def test_a_click_id_stands_for_what_the_address_does_not_name(self, name: str) -> None:
        """Ids of advertising are paid; those on every link of a network are not."""
        expected = {"fbclid": "Organic Social", "epik": "Organic Social", "dclid": "Display"}
        for searching in ("gclid", "gbraid", "wbraid", "msclkid"):
            expected[searching] = "Paid Search"
        assert by_campaign(None, None, None, name) == expected.get(name, "Paid Social")
        assert by_campaign("news", "email", None, name) == "Email"

    def test_a_click_id_completes_utm_parameters(self) -> None:
        """A campaign alone does not hide the network."""
        assert by_campaign(None, None, "tet", "gclid") == "Paid Search"
        assert by_campaign("facebook", None, None, "fbclid") == "Organic Social"

    @given(st.tuples(*[st.none() | st.text()] * 5), st.none() | st.sampled_from(list(CLICK_IDS)))
    def test_any_text_has_a_channel(self, values: tuple[str | None, ...], click: str | None) -> None:
        """Without an error."""
        page, referrer, source, medium, campaign = values
        found = acquisition_channel(page, referrer, source, medium, campaign, click)
        assert found is None or found in {*RULES, UNASSIGNED}
