"""`python -m emulator`: see `emulator.cli`."""

from emulator.cli import main

main(prog_name="python -m emulator")
