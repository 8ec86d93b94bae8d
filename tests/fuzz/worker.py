"""One process of the fuzzer: libFuzzer, with the code under test instrumented. Started by `python -m tests.fuzz`."""

import sys
from random import Random

import atheris

from tests.fuzz.mutate import with_member

# Bytecode is instrumented as it is imported: without that the fuzzer would be blind.
with atheris.instrument_imports(include=["chalicelib"]):
    from tests.fuzz.target import check, quietly


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time what libFuzzer would do, else one that knows JSON."""
    random = Random(seed)  # guards nothing
    if random.random() < 0.5:
        return bytes(atheris.Mutate(data, most))
    return with_member(data, most, random)


def main() -> None:
    """Take libFuzzer's own options, and never return."""
    quietly()
    atheris.Setup(sys.argv, check, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
