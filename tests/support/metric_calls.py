"""Calls of metrics that use every metric, and every SQL file, for engines to be compared by."""

from collections.abc import Sequence
from typing import Any

__all__ = ["ALL", "Call"]

Call = tuple[str, dict[str, Any]]

STEPS = ("add_to_cart_click", "product_view", "page_view")

ALL: Sequence[Call] = (
    ("overview", {}),
    ("events_over_time", {"grain": "hour"}),
    ("events_over_time", {"grain": "day"}),
    ("top_events", {}),
    ("by_login_state", {}),
    ("visitor_types", {}),
    ("top_categories", {}),
    ("top_brands", {"limit": 2}),
    ("latest_product_events", {"limit": 50}),
    ("funnel", {}),
    ("funnel", {"window": 10, "by": "visitor_type"}),
    ("funnel", {"steps": STEPS, "order": "strict", "by": "category"}),
    ("funnel", {"steps": STEPS, "window": 1800, "order": "any", "by": "brand"}),
    ("sessions", {}),
    ("rebuilt_sessions", {}),
    ("session_summary", {}),
    ("retention", {"grain": "day"}),
    ("retention", {"grain": "week", "cohort": "first_visit"}),
    ("products", {"limit": 20}),
    ("discount_effect", {}),
    ("carts", {}),
    ("paths", {}),
    ("paths", {"clicks": True, "limit": 7}),
    ("revenue", {}),
    ("revenue_over_time", {"grain": "day"}),
    ("revenue_by_product", {"limit": 2}),
    ("revenue_by_category", {}),
)
