"""The pages of the dashboard, in the order of the navigation."""

from collections.abc import Mapping
from types import MappingProxyType

from analysis.dashboard.pages.acquisition import ACQUISITION
from analysis.dashboard.pages.overview import OVERVIEW
from analysis.dashboard.pages.page import Page
from analysis.dashboard.pages.products import PRODUCTS
from analysis.dashboard.pages.quality import QUALITY

__all__ = ["PAGES"]

PAGES: Mapping[str, Page] = MappingProxyType({page.name: page for page in (OVERVIEW, ACQUISITION, PRODUCTS, QUALITY)})
