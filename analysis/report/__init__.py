"""The report: the figures of the notebooks on one page that needs no network."""

from analysis.report.page import page

__all__ = ["page"]
