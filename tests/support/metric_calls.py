"""Calls of metrics that use every metric, and every SQL file, for engines to be compared by."""

from collections.abc import Sequence
from typing import Any

__all__ = ["ALL", "Call"]

Call = tuple[str, dict[str, Any]]

STEPS = ("add_to_cart_click", "product_view", "page_view")

ALL: Sequence[Call] = (
    ("overview", {}),
    ("key_figures", {}),
    ("key_figures_over_time", {"grain": "week"}),
    ("events_over_time", {"grain": "hour"}),
    ("events_over_time", {"grain": "day"}),
    ("top_events", {}),
    ("by_login_state", {}),
    ("visitor_types", {}),
    ("top_categories", {}),
    ("top_brands", {"limit": 2}),
    ("top_categories", {"unknown": True}),
    ("events_over_time", {"grain": "minute"}),
    ("events_over_time", {"grain": "month"}),
    ("latest_product_events", {"limit": 50}),
    ("funnel", {}),
    ("funnel", {"window": 10, "by": "visitor_type"}),
    ("funnel", {"steps": STEPS, "order": "strict", "by": "category"}),
    ("funnel", {"steps": STEPS, "window": 1800, "order": "any", "by": "brand"}),
    ("funnel", {"by": "device"}),
    ("funnel_times", {"by": "login_state"}),
    ("funnel_times", {"steps": STEPS, "order": "strict"}),
    ("funnel_times", {"steps": STEPS, "order": "any"}),
    ("funnel_dropped", {"step": 2, "window": 10, "limit": 5}),
    ("sessions", {}),
    ("rebuilt_sessions", {}),
    ("session_summary", {}),
    ("retention", {"grain": "day"}),
    ("retention", {"grain": "week", "cohort": "first_visit"}),
    ("retention", {"grain": "month"}),
    ("products", {"limit": 20}),
    ("discount_effect", {}),
    ("carts", {}),
    ("paths", {}),
    ("paths", {"clicks": True, "limit": 7}),
    ("path_links", {"direction": "to"}),
    ("path_links", {"node": "product_view", "nodes": "event", "limit": 3}),
    ("visitors", {"limit": 5}),
    ("visitors", {"orders": True}),
    ("latest_events", {"limit": 20}),
    ("latest_events", {"limit": 20, "derived": True}),
    ("visitor_events", {"visitor": "sam", "limit": 9}),
    ("sessions_by", {}),
    ("sessions_by", {"by": "exit_page", "limit": 5}),
    ("revenue_by", {"by": "campaign"}),
    ("top_pages", {}),
    ("search_terms", {}),
    ("revenue", {}),
    ("revenue_over_time", {"grain": "day"}),
    ("revenue_over_time", {"grain": "week"}),
    ("revenue_by_product", {"limit": 2}),
    ("revenue_by_category", {}),
)
