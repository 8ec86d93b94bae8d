"""The errors that the analysis raises on purpose: one line that says what is wrong and what to do."""

__all__ = ["AnalysisError", "NoTable"]


class AnalysisError(Exception):
    """A problem that the user can solve: a wrong source, span or name, or storage that does not answer."""


class NoTable(AnalysisError):
    """The warehouse has no table of events yet."""
