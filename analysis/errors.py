"""The errors that the analysis raises on purpose: one line that says what is wrong and what to do."""

__all__ = ["AnalysisError", "FunctionFailed", "LakeWarning", "NoTable"]


class AnalysisError(Exception):
    """A problem that the user can solve: a wrong source, span or name, or storage that does not answer."""


class NoTable(AnalysisError):
    """The warehouse has no table of events yet."""


class FunctionFailed(AnalysisError):
    """A Lambda function raised an error; `kind` is the error's class, empty if Lambda does not say."""

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class LakeWarning(UserWarning):
    """The lake cannot stand in for raw, in whole or in part, so raw is read instead: it names why, and what to do."""
