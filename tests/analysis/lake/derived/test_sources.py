import pytest

from analysis.lake.derived.sources import Category, category_of


class TestCategoryOf:
    @pytest.mark.parametrize(
        ("source", "category"),
        [
            ("google", Category.SEARCH),
            ("www.google.co.jp", Category.SEARCH),
            ("yandex.com.tr", Category.SEARCH),
            ("mail.google.com", Category.SEARCH),
            ("accounts.google.com", None),
            ("groups.google.com", Category.SOCIAL),
            ("naver.com", Category.SEARCH),
            ("blog.naver.com", Category.SOCIAL),
            ("shopping.naver.com", Category.SHOPPING),
            ("Facebook", Category.SOCIAL),
            ("WWW.FACEBOOK.COM", Category.SOCIAL),
            ("es.pinterest.com", Category.SOCIAL),
            ("zalo", Category.SOCIAL),
            ("chat.zalo.me", Category.SOCIAL),
            ("player.vimeo.com", Category.VIDEO),
            ("checkout.stripe.com", Category.SHOPPING),
            ("google shopping", Category.SHOPPING),
            ("claude.ai", Category.ASSISTANT),
            ("care.com", Category.SOCIAL),
            ("care", None),
            ("com", None),
            ("shop.example", None),
            ("", None),
        ],
    )
    def test_it_is_that_of_the_list(self, source: str, category: Category | None) -> None:
        """Of a name, of a domain, or of a subdomain; the nearest one decides."""
        assert category_of(source) is category

    def test_a_long_source_is_on_no_list(self) -> None:
        """No host is as long."""
        assert category_of("a." * 100_000 + "facebook.com") is None
