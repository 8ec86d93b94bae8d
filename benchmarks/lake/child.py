"""Runs one piece of work in a process of its own, and says what it cost: seconds, and memory at its peak."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple, TypeVar

__all__ = ["Cost", "command", "fresh", "in_child", "timed"]

Answer = TypeVar("Answer")

STATUS = Path("/proc/self/status")


class Cost(NamedTuple):
    """What a piece of work cost: seconds by the clock, seconds of CPU, and bytes of memory at the peak."""

    seconds: float
    cpu: float
    memory: float = 0.0


def timed(work: Callable[[], object]) -> Cost:
    """Do work here."""
    started, used = perf_counter(), process_time()
    work()
    return Cost(perf_counter() - started, process_time() - used)


def in_child(work: Callable[..., Answer], *arguments: object) -> tuple[Answer, Cost]:
    """Do work in a new process, of which the start is not counted.

    Args:
        work: A function of a module.
        *arguments: Its arguments.

    Returns:
        What the work returned, and its cost. The memory is that of the whole process, with its modules.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(_measured, work, *arguments).result()


def fresh(program: str, *arguments: str) -> Cost:
    """Run a program in a new Python, of which the start and all imports count. The memory is not measured."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = perf_counter()
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    seconds = perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def command(arguments: list[str]) -> None:
    """Run `python -m analysis` here, without what it prints.

    Raises:
        RuntimeError: It was not done. A finding is no error.
    """
    from analysis.commands.main import main

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        try:
            main(arguments)
        except SystemExit as end:
            if end.code not in {None, 0, 1}:
                raise RuntimeError(f"python -m analysis {' '.join(arguments)} ended with {end.code}") from end


def _measured(work: Callable[..., Answer], *arguments: object) -> tuple[Answer, Cost]:
    started, used = perf_counter(), process_time()
    answer = work(*arguments)
    return answer, Cost(perf_counter() - started, process_time() - used, _peak())


def _peak() -> float:
    """Give the most bytes that this process had in memory."""
    if STATUS.exists():
        # Linux counts the memory of the process that started this one in `ru_maxrss`.
        found = re.search(r"^VmHWM:\s*(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024.0
