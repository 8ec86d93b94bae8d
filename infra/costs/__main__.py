"""`python -m infra.costs`."""

from infra.costs.command import main

main(prog_name="python -m infra.costs")
