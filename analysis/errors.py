"""Every error of the analysis on purpose: one line that says what is wrong and what to do."""

__all__ = ["AnalysisError", "FunctionFailed", "NoTable"]


class AnalysisError(Exception):
    """Something the user can put right: a source, a span or a name that is wrong, or storage that does not answer."""


class NoTable(AnalysisError):
    """The warehouse has no table yet: the first event that is projected makes it."""


class FunctionFailed(AnalysisError):
    """A Lambda function raised an error; `kind` is the error's class, empty if Lambda does not say."""

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind
