"""Every error of the analysis on purpose: one line that says what is wrong and what to do."""

__all__ = ["AnalysisError"]


class AnalysisError(Exception):
    """Something the user can put right: a source, a span or a name that is wrong, or storage that does not answer."""
