"""Starts a piece of work in a process of its own, and kills it at some moment."""

import subprocess
import sys
import time

__all__ = ["killed_after"]


def killed_after(seconds: float, program: str, *arguments: str) -> bool:
    """Start a Python program, and kill it with SIGKILL some time after it has said that it is ready.

    Args:
        seconds: The time.
        program: Its text. It prints a line when everything is imported, so that the kill meets the work.
        *arguments: Its arguments.

    Returns:
        Whether it was still running then.
    """
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        is_running = process.poll() is None
        process.kill()  # does nothing if it has ended meanwhile
        return is_running
