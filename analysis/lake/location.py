"""Where a lake is: a directory with a catalog in SQLite, or AWS Glue with data in S3."""

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from analysis.errors import AnalysisError
from analysis.raw.partitions import is_utf8
from command_line.home import Home

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store
    from pyiceberg.catalog import Catalog

__all__ = ["GLUE", "Location", "NoLake", "location_of"]

GLUE = "glue"
# Engines have to open the catalog by the same name.
CATALOG = "clickstream"
BUCKET = "clickstream-s3-lake"
# Of the tables in the catalog. In Glue, two stages of one account need two.
DATABASE = "clickstream"
CATALOG_FILE = "catalog.db"
LOCK_FILE = "compact.lock"
IN_CATALOG = """
SELECT table_name, metadata_location
FROM iceberg_tables
WHERE catalog_name = ? AND table_namespace = ?
"""


class NoLake(AnalysisError):
    """There is no lake here yet."""


@dataclass(frozen=True)
class Location:
    """One lake. Nothing is made before somebody writes.

    Attributes:
        root: The lake's directory, absolute, or `s3://bucket`.
        is_glue: Whether AWS Glue is its catalog.
        database: The database of its tables in the catalog.
    """

    root: str
    is_glue: bool = False
    database: str = DATABASE

    def __str__(self) -> str:
        return f"{GLUE} ({self.root})" if self.is_glue else self.root

    @property
    def exists(self) -> bool:
        """Whether a catalog is there. Glue always is."""
        return self.is_glue or (Path(self.root) / CATALOG_FILE).is_file()

    def catalog(self, *, make: bool = False) -> "Catalog":
        """Open the catalog.

        Args:
            make: Make the directory and the catalog if they are not there.

        Raises:
            NoLake: No lake is there, and `make` is false.
            AnalysisError: The directory cannot be used.
        """
        # Imported here, because it takes half a second.
        from pyiceberg.catalog import load_catalog

        if self.is_glue:
            from boto3 import Session

            endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            # Without the region, pyiceberg would ask AWS for the bucket's.
            given = {"s3.endpoint": endpoint, "s3.region": Session().region_name}
            return load_catalog(
                CATALOG, type=GLUE, warehouse=self.root, **{name: value for name, value in given.items() if value}
            )
        if not make and not self.exists:
            raise self._no_lake()
        self._prepare()
        path = quote(f"{self.root}/{CATALOG_FILE}", safe="/")
        return load_catalog(CATALOG, type="sql", uri=f"sqlite:///{path}", warehouse=self.url)

    def metadata(self) -> Mapping[str, str]:
        """Look up where the metadata of each table is now, in the catalog of a directory.

        This is what pyiceberg does, without the half of its time that goes into SQLAlchemy. Iceberg describes the
        table `iceberg_tables`, which Spark reads too.

        Returns:
            The metadata's address by the table's name in the catalog. Nothing if no table was made yet.

        Raises:
            NoLake: No lake is there.
        """
        if not self.exists:
            raise self._no_lake()
        # To read, but not `mode=ro`: SQLite has to be able to undo what a killed writer has left.
        path = f"file:{quote(f'{self.root}/{CATALOG_FILE}', safe='/')}?mode=rw"
        with closing(sqlite3.connect(path, uri=True)) as catalog:
            if not catalog.execute("SELECT 1 FROM sqlite_master WHERE name = 'iceberg_tables'").fetchone():
                return {}
            found = catalog.execute(IN_CATALOG, (CATALOG, self.database)).fetchall()
        return {self.in_catalog(name): address for name, address in found}

    def _no_lake(self) -> NoLake:
        return NoLake(f"there is no lake in {self.root}: make one with 'python -m analysis compact', or name --lake")

    def in_catalog(self, table: str) -> str:
        """Name a table as the catalog does: `clickstream.events` may be in another database in Glue."""
        return f"{self.database}.{table.rpartition('.')[2]}"

    @property
    def url(self) -> str:
        """The root as tables name it."""
        return self.root if self.is_glue else f"file://{self.root}"

    @cached_property
    def store(self) -> "LocalStore | S3Store":
        """The files of the lake, by their names below the root."""
        from obstore.store import LocalStore, S3Store

        if not self.is_glue:
            return LocalStore(self.root, mkdir=True)
        from obstore.auth.boto3 import Boto3CredentialProvider

        return S3Store(
            self.root.removeprefix("s3://"),
            client_options={"allow_http": True},
            credential_provider=Boto3CredentialProvider(),
        )

    @contextmanager
    def locked(self, patience: float = 0.0) -> Iterator[None]:
        """Keep other writers out of a directory. On Glue, writers that meet try again.

        Args:
            patience: How many seconds to wait for another writer.

        Raises:
            AnalysisError: Another process writes to this lake.
        """
        if self.is_glue:
            yield
            return
        self._prepare()
        with (Path(self.root) / LOCK_FILE).open("a") as lock:
            until = time.monotonic() + patience
            while not _is_locked(lock.fileno()):
                if time.monotonic() >= until:
                    raise AnalysisError(f"another process writes to the lake {self.root}: wait until it ends")
                time.sleep(0.1)
            yield

    def _prepare(self) -> None:
        try:
            Path(self.root).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise AnalysisError(
                f"cannot use {self.root} as lake: {error.strerror}; name another with --lake"
            ) from error


def _is_locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def location_of(named: str | None = None) -> Location:
    """Find the lake. Nothing is created.

    Args:
        named: A directory or `glue`; None if the user named none.

    Returns:
        `named`, else what `LAKE` names, else the directory `lake/` of the local stack's home. With `glue`, data is in
        the bucket that `LAKE_BUCKET_NAME` names, and the tables are in the database of `LAKE_DATABASE_NAME`;
        `glue://BUCKET/DATABASE` names both.
    """
    place = named or os.environ.get("LAKE") or str(Home.default().lake)
    if place == GLUE:
        bucket, database = os.environ.get("LAKE_BUCKET_NAME"), os.environ.get("LAKE_DATABASE_NAME")
        return Location(f"s3://{bucket or BUCKET}", is_glue=True, database=database or DATABASE)
    if found := re.fullmatch(rf"{GLUE}://([^/]+)/(\w+)", place):
        return Location(f"s3://{found[1]}", is_glue=True, database=found[2])
    if "://" in place:
        raise AnalysisError(f"{place} is not a lake: name a directory, or 'glue' with LAKE_BUCKET_NAME")
    directory = Path(place).expanduser().absolute()
    if not is_utf8(str(directory)):
        raise AnalysisError(f"the lake cannot be in {directory}, whose name is not UTF-8: name another with --lake")
    if set("#?") & set(str(directory)):
        raise AnalysisError(
            f"the lake cannot be in {directory}, since '#' and '?' end a URL's path: name another with --lake"
        )
    return Location(str(directory))
