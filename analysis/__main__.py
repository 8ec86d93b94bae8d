"""`python -m analysis`."""

from analysis.commands.main import main

main(prog_name="python -m analysis")
