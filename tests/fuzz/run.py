"""One run of the fuzzer: processes that share a corpus, and what they and the corpus have to say."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.seeds import WORDS, seeds

__all__ = ["Fuzzed", "fuzz", "replay"]

ROOT = Path(__file__).parents[2]
HANG_SECONDS = 10
LENGTHS = (512, 4096)  # most bytes of an input: most bugs need few, and few are quick
POLL_SECONDS = 0.5

_COUNT = re.compile(r"^#(\d+)\t", re.MULTILINE)
_DONE = re.compile(r"^stat::number_of_executed_units: (\d+)", re.MULTILINE)


@dataclass
class Fuzzed:
    """How many inputs there were, in how many seconds; files of inputs that broke something; coverage by module."""

    inputs: int = 0
    seconds: float = 0.0
    workers: int = 0
    corpus: int = 0
    findings: list[str] = field(default_factory=list)
    coverage: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Worker:
    process: "subprocess.Popen[bytes]"
    log: Path

    def inputs(self) -> int:
        """So far, as libFuzzer says."""
        text = self.log.read_text(errors="replace")
        return max(map(int, [*_COUNT.findall(text), *_DONE.findall(text)]), default=0)


def fuzz(folder: Path, runs: int, workers: int, say: Callable[[int], None]) -> Fuzzed:
    """Run `runs` inputs in `workers` processes; what breaks is left in `folder`. `say` takes how many there were."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(data)
    words = folder / "words.txt"
    words.write_text("\n".join(f'"{_escaped(word)}"' for word in WORDS))
    started = time.monotonic()
    crew = [_start(folder, number, -(-runs // workers)) for number in range(workers)]
    while any(worker.process.poll() is None for worker in crew):
        time.sleep(POLL_SECONDS)
        say(sum(worker.inputs() for worker in crew))
    done = Fuzzed(sum(worker.inputs() for worker in crew), time.monotonic() - started, workers)
    done.findings = sorted(str(path) for path in folder.glob("found-*"))
    broken = [worker.log for worker in crew if worker.process.returncode != 0]
    if broken and not done.findings:
        done.findings = [f"a process ended early, see {log}" for log in map(str, broken)]
    done.corpus = len([*corpus.iterdir()])
    if not done.findings:
        done.coverage = _coverage(corpus)
    return done


def replay(path: Path) -> None:
    """Run one input that was found, as it was found. Raises what it raises."""
    from tests.fuzz.target import check

    check(path.read_bytes())


def _start(folder: Path, number: int, runs: int) -> _Worker:
    options = [
        f"-runs={runs}",
        f"-max_len={LENGTHS[number % len(LENGTHS)]}",
        f"-timeout={HANG_SECONDS}",
        f"-artifact_prefix={folder}/found-",
        f"-dict={folder}/words.txt",
        "-reload=1",
        "-print_final_stats=1",
        str(folder / "corpus"),
    ]
    log = folder / f"worker-{number}.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "tests.fuzz.worker", *options]
        return _Worker(subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file), log)


def _coverage(corpus: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.fuzz.coverage_of", str(corpus)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries spell it."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())
