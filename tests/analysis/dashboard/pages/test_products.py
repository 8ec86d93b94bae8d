from decimal import Decimal

import pytest

from analysis.dashboard.pages.products import PRODUCTS
from analysis.dashboard.panel import Chart, Figure, Table, as_json
from emulator.seed.answers import overview, products, revenue
from tests.analysis.dashboard.conftest import Chosen, Seeded
from tests.analysis.dashboard.pages.contents import EARLIER, LATER, WEEK, check_compared, figures, made, rows

pytestmark = pytest.mark.slow


class TestProducts:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize(
        ("added", "filters"),
        [("", {}), ("&category=bags&device=mobile", {"category": ["bags"], "device": ["mobile"]})],
        ids=["all", "filtered"],
    )
    def test_every_figure_is_exact(self, seeded: Seeded, zone: str, added: str, filters: Chosen) -> None:
        """Beside the seed's answers, in two zones, with and without filters."""
        contents = made(seeded, "products", f"{WEEK}&zone={zone}&limit=500{added}")
        [key] = seeded.answer(overview.key_figures, filters, zone)
        money = max(seeded.answer(revenue.revenue, filters, zone), key=lambda row: row["orders"])
        counts = {name: key[name] for name in ("product_views", "add_to_cart_clicks", "add_rate")}
        assert figures(contents) == {**counts, "items": money["items"]}
        assert rows(contents, "products") == seeded.answer(products.products, filters, zone, limit=500)
        assert rows(contents, "scatter") == seeded.answer(products.products, filters, zone, limit=100)
        assert rows(contents, "sold") == seeded.answer(revenue.revenue_by_product, filters, zone, limit=500)
        assert rows(contents, "category_revenue") == seeded.answer(
            revenue.revenue_by_category, filters, zone, limit=500
        )
        for name, answer in (("categories", overview.top_categories), ("brands", overview.top_brands)):
            assert rows(contents, name) == seeded.answer(answer, filters, zone, limit=500, unknown=True)
        assert rows(contents, "discounts") == seeded.answer(products.discount_effect, filters, zone)

    def test_what_has_no_category_or_brand_is_unknown(self, seeded: Seeded) -> None:
        """So the events of the table are all events, as in the dashboard that this one replaces."""
        contents = made(seeded, "products", f"{WEEK}&limit=500")
        events = len(seeded.events({}).all)
        for name, column in (("categories", "category"), ("brands", "brand")):
            found = {row[column]: row["events"] for row in rows(contents, name)}
            assert found["unknown"] > 0
            assert sum(found.values()) == events

    @pytest.mark.parametrize("against", PRODUCTS.options["against"])
    def test_the_scatter_has_names_and_a_click_filters(self, seeded: Seeded, against: str) -> None:
        """Every product is a point; a click on it keeps the sessions with the product."""
        contents = made(seeded, "products", f"{WEEK}&against={against}")
        chart = contents["scatter"]
        assert isinstance(chart, Chart)
        spec = chart.chart.to_dict()
        [points] = spec["datasets"].values()
        assert [point["product_id"] for point in points] == [row["product_id"] for row in rows(contents, "scatter")]
        assert points[0]["named"] == points[0]["product_name"]
        drawn = [(point["views"], point[against]) for point in points if point["named"]]
        assert len(set(drawn)) == len(drawn) > 1
        assert {layer["encoding"]["y"]["field"] for layer in spec["layer"]} == {against}
        first = points[0]["product_id"]
        filtered = made(seeded, "products", f"{WEEK}&{chart.filters['product_id']}={first}")
        [key] = seeded.answer(overview.key_figures, {"product": [first]})
        assert figures(filtered)["product_views"] == key["product_views"]

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """Figures and every table; a product that was not among the first before is found all the same."""
        later = made(seeded, "products", LATER)
        earlier = made(seeded, "products", f"{EARLIER}&limit=500")
        assert {name: each.previous for name, each in later.items() if isinstance(each, Figure)} == figures(earlier)
        check_compared(later, earlier, "products", ("product_id",), "views")
        check_compared(later, earlier, "sold", ("currency", "product_id"), "revenue")
        check_compared(later, earlier, "categories", ("category",), "events")
        check_compared(later, earlier, "brands", ("brand",), "events")
        check_compared(later, earlier, "category_revenue", ("currency", "category"), "revenue")
        check_compared(later, earlier, "discounts", ("is_discounted",), "views")

    def test_money_before_is_written_as_money(self, seeded: Seeded) -> None:
        """Exactly, in the currency of its row."""
        contents = made(seeded, "products", LATER)
        table = contents["sold"]
        assert isinstance(table, Table)
        drawn = as_json(table)["table"]
        assert isinstance(drawn, dict)
        kinds = {column["name"]: column["kind"] for column in drawn["columns"]}
        assert (kinds["revenue"], kinds["previous"], kinds["change"]) == ("money", "money", "change")
        at = list(kinds).index("revenue")
        assert [Decimal(row[at]) for row in drawn["rows"]] == [row["revenue"] for row in rows(contents, "sold")]

    def test_an_empty_range_shows_nothing(self, seeded: Seeded) -> None:
        """Zeros and empty tables, and no error."""
        contents = made(seeded, "products", "start=2026-10-01&end=2026-10-02")
        assert figures(contents) == {"product_views": 0, "add_to_cart_clicks": 0, "add_rate": None, "items": 0}
        assert rows(contents, "products") == []
