"""Texts on command lines, such as keys, URLs and names: UTF-8, as databases, S3 and HTTP need them."""

from typing import Any

import click

__all__ = ["Text", "require_utf8"]


class Text(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """A text in UTF-8. Python gives other bytes of a command line as surrogates, which nothing else takes."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Give the text, or fail with what is wrong."""
        text = str(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8", param, ctx)
        return text


def require_utf8(command: click.Command) -> None:
    """Let a command, and all commands below it, refuse texts that are not UTF-8.

    Paths keep their type, since the name of a file may have any bytes.
    """
    for parameter in command.params:
        if parameter.type is click.STRING:
            parameter.type = Text()
    if isinstance(command, click.Group):
        for each in command.commands.values():
            require_utf8(each)
