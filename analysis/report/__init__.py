"""The report: what the notebooks show, as one page that needs no network."""

from analysis.report.page import page

__all__ = ["page"]
