"""Reads a bucket in S3, with many requests at once."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice

import obstore
from botocore.exceptions import BotoCoreError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

from analysis.errors import AnalysisError
from analysis.raw.partitions import SCHEME, Folder, is_object, is_partition
from chalicelib.keys import PREFIX

__all__ = ["S3Source"]

REQUESTS = 32
# The number of bodies in memory at once; each has at most 1 MiB.
WINDOW = 256

HOUR_LEVELS = ("year", "month", "day", "hour")

_CODE = re.compile(r"<Code>(\w+)</Code>")


class S3Source:
    """The objects of one bucket behind S3's interface."""

    def __init__(self, bucket: str) -> None:
        if not bucket or "/" in bucket:
            raise AnalysisError(f"{SCHEME}{bucket} does not name a bucket: write {SCHEME}BUCKET, without a path")
        self._name = SCHEME + bucket
        self._last_modified: dict[str, datetime] = {}
        with self._errors():
            # A local S3 server has no certificate.
            self._store = S3Store(bucket, client_options={"allow_http": True}, credential_provider=_credentials())

    def folders(self, prefixes: Iterable[str]) -> Iterator[list[Folder]]:
        """Do as `Source` says."""
        self._last_modified = {}
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            yield from pool.map(self._below, prefixes)

    def hours(self) -> list[str]:
        """Do as `Source` says."""
        level = [PREFIX]
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            for _ in HOUR_LEVELS:
                level = list(chain.from_iterable(pool.map(self._folders_in, level)))
        return sorted(filter(is_partition, level))

    def level(self, prefix: str) -> tuple[list[str], list[str]]:
        """Do as `Source` says."""
        with self._errors():
            listed = obstore.list_with_delimiter(self._store, prefix)
        below = len(prefix)
        folders = [f"{path.rstrip('/')}/"[below:] for path in listed["common_prefixes"]]
        return folders, [item["path"][below:] for item in listed["objects"]]

    def read(self, folders: Iterable[Folder]) -> Iterator[tuple[str, bytes]]:
        """Do as `Source` says."""
        keys = (prefix + name for prefix, names in folders for name in names)
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            while window := list(islice(keys, WINDOW)):
                bodies = pool.map(self._get, window)
                yield from ((key, body) for key, body in zip(window, bodies, strict=True) if body is not None)

    def last_modified(self, key: str) -> datetime:
        """Do as `Source` says."""
        return self._last_modified[key].replace(microsecond=0)

    def _below(self, prefix: str) -> list[Folder]:
        folders: dict[str, list[str]] = {}
        for item in chain.from_iterable(obstore.list(self._store, prefix)):
            folder, _, name = item["path"].rpartition("/")
            if is_object(name):
                folders.setdefault(f"{folder}/", []).append(name)
                self._last_modified[item["path"]] = item["last_modified"]
        return [Folder(folder, names) for folder, names in folders.items()]

    def _folders_in(self, prefix: str) -> list[str]:
        """List the prefixes one level below, without the objects in them."""
        return [f"{path.rstrip('/')}/" for path in obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]]

    def _get(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise AnalysisError with one line instead of the client's message, which is a page long."""
        try:
            yield
        except (BaseError, BotoCoreError) as error:
            raise AnalysisError(f"cannot read {self._name}: {_reason(error)}") from error


def _credentials() -> Boto3CredentialProvider:
    """Find credentials as boto3 does: environment, profile, single sign-on, or the machine's own role."""
    try:
        return Boto3CredentialProvider()
    except ValueError as error:
        raise AnalysisError("there are no AWS credentials: set AWS_ACCESS_KEY_ID, AWS_PROFILE or the like") from error


def _reason(error: Exception) -> str:
    """Give S3's error code, or the first line of another message."""
    code = _CODE.search(str(error))
    return code[1] if code else str(error).partition("\n")[0]
