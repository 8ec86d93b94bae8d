"""`python -m emulator`: see `emulator.commands.main`."""

from emulator.commands.main import main

main(prog_name="python -m emulator")
