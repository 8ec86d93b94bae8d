"""`python -m infra.package`."""

from infra.package.build import main

main(prog_name="python -m infra.package")
