"""`python -m infra.restore`."""

from infra.restore.command import main

main(prog_name="python -m infra.restore")
