"""The clocks of a soak, which can jump: the wall clock of the stack's own processes, and those of some browsers."""

import os
import sysconfig
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emulator.shoppers.browser import Browser

__all__ = ["Clock", "library"]

LIBRARY = "faketime/libfaketimeMT.so.1"
NO_SHIFT = timedelta(0)
SHARE = 4  # of so many browsers, one has a clock that jumps

# Its `sitecustomize` comes first.
PRELOAD = Path(__file__).parent / "preload"


def library() -> Path | None:
    """Return the path of libfaketime, as Debian's package faketime brings it; None if it is not installed."""
    folders = {f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}", "/usr/lib", "/usr/lib64", "/usr/local/lib"}
    return next((path for folder in sorted(folders) if (path := Path(folder, LIBRARY)).is_file()), None)


class Clock:
    """The clocks of one stack and of the browsers that post to it. Monotonic clocks are never touched.

    Args:
        directory: A directory for its files, which need not exist yet.

    Attributes:
        jumps: How often a clock jumped; what the stack calls the time may be wrong from then on.
        furthest: How far the stack's clock was ahead at most.
    """

    def __init__(self, directory: Path) -> None:
        self.jumps = 0
        self.furthest = NO_SHIFT
        self._browsers = NO_SHIFT
        self._directory = directory
        self._file = directory / "shift"

    def environment(self, shift: timedelta | None = None) -> dict[str, str]:
        """Return the variables under which a program has this clock; an empty mapping without the library.

        Args:
            shift: How far the program's clock is ahead; None: as far as `stack_shifted` says, at any time.
        """
        path = library()
        if path is None:
            return {}
        if not self._file.exists():
            self._write(NO_SHIFT)
        when = {"FAKETIME_TIMESTAMP_FILE": str(self._file)} if shift is None else {"FAKETIME": _text(shift)}
        return when | {
            "LD_PRELOAD": str(path),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",  # a jump happens at once
            "NO_FAKE_STAT": "1",  # the times of files that were there before do not jump
            "PYTHONPATH": os.pathsep.join(filter(None, (str(PRELOAD), os.environ.get("PYTHONPATH")))),
        }

    @contextmanager
    def stack_shifted(self) -> Iterator["Clock"]:
        """Let the stack's clock jump with `shift_stack` while the block runs, and set it right at its end."""
        try:
            yield self
        finally:
            self.shift_stack(NO_SHIFT)

    def shift_stack(self, shift: timedelta) -> None:
        """Let the wall clock of the stack's own processes jump: it is `shift` ahead from now on."""
        self.jumps += 1
        self.furthest = max(self.furthest, shift)
        self._write(shift)

    @contextmanager
    def browsers_shifted(self) -> Iterator["Clock"]:
        """Let browsers' clocks jump with `shift_browsers` while the block runs, and set them right at its end."""
        try:
            yield self
        finally:
            self.shift_browsers(NO_SHIFT)

    def shift_browsers(self, shift: timedelta) -> None:
        """Let the clocks of one browser in four jump: they are `shift` ahead from now on."""
        self.jumps += 1
        self._browsers = shift

    def of(self, browser: Browser) -> datetime:
        """Return the time that a browser's clock shows (UTC)."""
        jumps = zlib.crc32(browser.client_id.encode()) % SHARE == 0
        return datetime.now(UTC) + (self._browsers if jumps else NO_SHIFT)

    def _write(self, shift: timedelta) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")  # a reader must not find half of it
        partial.write_text(f"{_text(shift)}\n")
        partial.replace(self._file)


def _text(shift: timedelta) -> str:
    return f"{shift.total_seconds():+.0f}"
