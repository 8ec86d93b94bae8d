"""Builds the zip from which CodeBuild runs the lake's compaction: our code, and the locked packages that it needs."""

import re
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import click

from infra.package.hashes import LOCK
from infra.package.target import PackageError

__all__ = ["DISTRIBUTIONS", "build", "locked", "main"]

ROOT = Path(__file__).parents[1]
# Each package with the name that it is imported by.
SOURCES = {"analysis": ROOT / "analysis", "command_line": ROOT / "command_line"}
SOURCES |= {"chalicelib": ROOT / "chalice_app" / "chalicelib"}
ENDINGS = {".py", ".sql", ".html"}
# What `python -m analysis compact --lake glue` imports; a test runs it with nothing else. The whole lock, with what
# notebooks and tests need, would take minutes to install, each hour.
DISTRIBUTIONS = frozenset(
    {
        "annotated-types",
        "boto3",
        "botocore",
        "cachetools",
        "can-ada",
        "certifi",
        "click",
        "crawler-user-agents",
        "jmespath",
        "mmh3",
        "msgspec",
        "obstore",
        "polars",
        "polars-runtime-32",
        "psycopg",
        "psycopg-binary",
        "pyarrow",
        "pydantic",
        "pydantic-core",
        "pyiceberg",
        "pyparsing",
        "pyroaring",
        "python-dateutil",
        "pyyaml",
        "rich",
        "s3transfer",
        "six",
        "strictyaml",
        "typing-extensions",
        "typing-inspection",
        "tzdata",
        "ua-parser",
        "ua-parser-rs",
        "urllib3",
        "zstandard",
    }
)
# The same content is the same zip, whenever and wherever it is built: its name does not change, and so nothing is
# deployed again.
MOMENT = (1980, 1, 1, 0, 0, 0)
NAME_LENGTH = 16


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Directory to write to.")
def main(out: Path) -> None:
    """Write the zip into a directory, and print its name, which ends in a digest of its content.

    `make deploy` calls this, and puts the zip into the asset bucket:

    \b
      python -m infra.compactor --out /tmp
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    try:
        content = build()
    except PackageError as error:
        raise click.ClickException(str(error)) from None
    name = f"compactor-{sha256(content).hexdigest()[:NAME_LENGTH]}.zip"
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_bytes(content)
    click.echo(name)


def build() -> bytes:
    """Return the zip. Raises PackageError if the lock lacks a needed distribution."""
    files = {
        f"{package}/{path.relative_to(folder)}": path.read_bytes()
        for package, folder in SOURCES.items()
        for path in sorted(folder.rglob("*"))
        if path.suffix in ENDINGS
    }
    files[LOCK] = locked((ROOT / LOCK).read_text()).encode()
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as zipped:
        for name in sorted(files):
            entry = ZipInfo(name, MOMENT)
            entry.external_attr = 0o644 << 16
            entry.compress_type = ZIP_DEFLATED
            zipped.writestr(entry, files[name])
    return written.getvalue()


def locked(lock: str) -> str:
    """Return the part of a lock that names DISTRIBUTIONS, with their hashes. Raises PackageError if one is missing."""
    found = re.finditer(r"^([\w.-]+)==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    entries = {each[1].lower().replace("_", "-"): each[0] for each in found}
    if missing := DISTRIBUTIONS - entries.keys():
        raise PackageError(f"{LOCK} lacks {', '.join(sorted(missing))}: run 'make lock'")
    return "".join(entries[name] for name in sorted(DISTRIBUTIONS))


if __name__ == "__main__":
    main(prog_name="python -m infra.compactor")
