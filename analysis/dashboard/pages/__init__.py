"""The pages of the dashboard, in the order of the navigation."""

from collections.abc import Mapping
from types import MappingProxyType

from analysis.dashboard.pages.acquisition import ACQUISITION
from analysis.dashboard.pages.journeys.funnel import FUNNEL
from analysis.dashboard.pages.journeys.paths import PATHS
from analysis.dashboard.pages.journeys.retention import RETENTION
from analysis.dashboard.pages.live import LIVE
from analysis.dashboard.pages.overview import OVERVIEW
from analysis.dashboard.pages.page import Page
from analysis.dashboard.pages.products import PRODUCTS
from analysis.dashboard.pages.quality import QUALITY
from analysis.dashboard.pages.visitors import VISITORS

__all__ = ["PAGES"]

ALL = (OVERVIEW, ACQUISITION, FUNNEL, PRODUCTS, RETENTION, PATHS, VISITORS, LIVE, QUALITY)
PAGES: Mapping[str, Page] = MappingProxyType({page.name: page for page in ALL})
