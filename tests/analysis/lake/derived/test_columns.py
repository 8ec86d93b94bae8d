import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analysis.lake.derived import DERIVED, SOURCES, with_derived

CHROME = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PRODUCT = "https://shop.example/product/1?q=lamp&utm_source=facebook&utm_medium=cpc&utm_campaign=tet&fbclid=Iw"
MOST_SECONDS = 2.0
LONG = 100_000  # characters


def frame(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, dict.fromkeys(SOURCES, pl.String), orient="row")


class TestWithDerived:
    def test_it_adds_every_column(self) -> None:
        """In the order of DERIVED and with its types, after the others."""
        found = with_derived(frame((PRODUCT, "https://l.facebook.com/", CHROME, "Asia/Saigon")))
        assert dict(found.schema) == {**dict.fromkeys(SOURCES, pl.String()), **DERIVED}
        assert found.select(*DERIVED).rows() == [
            (
                "shop.example",
                "/product/1",
                "l.facebook.com",
                "lamp",
                "facebook",
                "cpc",
                "tet",
                None,
                None,
                "fbclid",
                "Iw",
                "Paid Social",
                "mobile",
                "Chrome Mobile",
                "143.0",
                "Android",
                False,
                "VN",
            )
        ]

    def test_what_is_unknown_is_null(self) -> None:
        """A missing user agent is no bot, as everywhere else."""
        found = with_derived(frame((None, None, None, None), ("", "", "", "")))
        assert found.select(*DERIVED).rows() == [tuple(False if name == "is_bot" else None for name in DERIVED)] * 2

    def test_it_adds_columns_to_no_rows(self) -> None:
        """With the same types."""
        assert dict(with_derived(frame()).select(*DERIVED).schema) == dict(DERIVED)

    def test_rows_keep_their_order_and_other_columns(self) -> None:
        """Each gets the values of its own row."""
        agents = [CHROME, None, GOOGLEBOT, CHROME, GOOGLEBOT]
        before = frame(*((f"https://shop.example/{n}", None, agent, "UTC") for n, agent in enumerate(agents)))
        before = before.with_columns(pl.Series("key", range(5)))
        found = with_derived(before)
        assert_frame_equal(found.select(before.columns), before)
        assert found["page_path"].to_list() == [f"/{n}" for n in range(5)]
        assert found["is_bot"].to_list() == [agent == GOOGLEBOT for agent in agents]

    @settings(deadline=None)
    @given(st.lists(st.tuples(*[st.none() | st.text(max_size=40)] * 4), max_size=5))
    def test_rows_do_not_depend_on_each_other(self, rows: list[tuple[str | None, ...]]) -> None:
        """Many at once give what each gives alone, whatever a browser sends."""
        together = with_derived(frame(*rows))
        alone = [with_derived(frame(row)) for row in rows]
        assert_frame_equal(together, pl.concat([with_derived(frame()), *alone]))

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize(
        ("start", "part"),
        [
            ("", "("),
            ("", "; "),
            ("", "Chrome/1."),
            ("", "Mozilla/5.0 (Linux; Android 10; "),
            ("", "iPad; CPU OS "),
            ("", "bot http://"),
            ("https://", "a."),
            ("https://", "ü"),
            ("https://xn--", "xn--"),
            ("https://[", ":"),
            ("https://", "@"),
            ("https://x/", "%"),
            ("https://x/", "../"),
            ("https://x/?", "&"),
            ("https://x/?utm_medium=", "cp"),
            ("https://x/?utm_campaign=", "shop"),
            ("https://x/?utm_source=", "a."),
            ("https://x/?utm_source=", "%F0%9F"),
            ("https://x/?", "utm_source=a&q=b&gclid=c&"),
        ],
    )
    def test_hostile_text_takes_no_time(self, source: str, start: str, part: str) -> None:
        """Whatever is repeated: in quadratic time, such a text would take a minute and more."""
        text = start + part * (LONG // len(part))
        hostile = frame(*[("https://shop.example/", "https://a.example/", CHROME, "UTC")]).with_columns(
            pl.lit(text).alias(source)
        )
        before = time.process_time()
        with_derived(hostile)
        assert time.process_time() - before < MOST_SECONDS
