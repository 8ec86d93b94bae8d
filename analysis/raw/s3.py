"""Reads a bucket in S3, with many requests at once."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from threading import Lock
from typing import Any, NamedTuple

import boto3
import obstore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError, InvalidPathError, PermissionDeniedError
from obstore.store import S3Store

from analysis.errors import AnalysisError
from analysis.raw.partitions import HOUR_LEVELS, SCHEME, Folder, is_object, is_partition, is_utf8
from analysis.raw.source import OnUnreadable
from chalicelib.keys import PREFIX

__all__ = ["S3Source"]

REQUESTS = 32
# The number of bodies in memory at once; each has at most 1 MiB.
WINDOW = 256

_CODE = re.compile(r"<Code>([\w.]+)</Code>")
# S3 refuses with these whatever the key is.
_OF_CALLER = frozenset(
    {"AccountProblem", "InvalidAccessKeyId", "NotSignedUp", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)
FORBIDDEN = 403


class _Refused(NamedTuple):
    """S3 refuses one key, for this reason: access is denied, or the object is archived or encrypted."""

    reason: str


class S3Source:
    """The objects of one bucket behind S3's interface.

    obstore sends the requests, since it is several times as fast as boto3. It refuses keys with an empty segment, with
    a segment `.` or `..`, or with a control character. S3 allows them, so boto3 lists and gets these.
    """

    def __init__(self, bucket: str, on_unreadable: OnUnreadable | None = None) -> None:
        if not bucket or "/" in bucket or not is_utf8(bucket):
            raise AnalysisError(f"{SCHEME}{bucket} does not name a bucket: write {SCHEME}BUCKET, without a path")
        self._bucket = bucket
        self._name = SCHEME + bucket
        self._on_unreadable = on_unreadable
        self._last_modified: dict[str, datetime] = {}
        self._lock = Lock()
        self._boto3_client: Any = None
        with self._errors():
            # A local S3 server has no certificate.
            self._store = S3Store(bucket, client_options={"allow_http": True}, credential_provider=_credentials())

    def folders(self, prefixes: Iterable[str]) -> Iterator[list[Folder]]:
        """Do as `Source` says."""
        self._last_modified = {}
        prefixes = list(prefixes)
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            for prefix, found in zip(prefixes, pool.map(self._below, prefixes), strict=True):
                if isinstance(found, _Refused):
                    self._refuse(prefix, found)
                    found = []
                yield found

    def hours(self) -> list[str]:
        """Do as `Source` says."""
        level = [PREFIX]
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            for _ in HOUR_LEVELS:
                level = list(chain.from_iterable(pool.map(self._folders_in, level)))
        return sorted(filter(is_partition, level))

    def level(self, prefix: str) -> tuple[list[str], list[str]]:
        """Do as `Source` says."""
        below = len(prefix)
        with self._errors():
            try:
                listed = obstore.list_with_delimiter(self._store, prefix)
            except (InvalidPathError, ValueError):
                pages = list(self._pages(Prefix=prefix, Delimiter="/"))
                folders = [each["Prefix"][below:] for page in pages for each in page.get("CommonPrefixes", ())]
                return folders, [each["Key"][below:] for page in pages for each in page.get("Contents", ())]
            except PermissionDeniedError as error:
                self._refuse(prefix, _refused(error))
                return [], []
        folders = [f"{path.rstrip('/')}/"[below:] for path in listed["common_prefixes"]]
        return folders, [item["path"][below:] for item in listed["objects"]]

    def read(self, folders: Iterable[Folder]) -> Iterator[tuple[str, bytes]]:
        """Do as `Source` says."""
        keys = (prefix + name for prefix, names in folders for name in names)
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            while window := list(islice(keys, WINDOW)):
                for key, body in zip(window, pool.map(self._get, window), strict=True):
                    if isinstance(body, _Refused):
                        self._refuse(key, body)
                    elif body is not None:
                        yield key, body

    def last_modified(self, key: str) -> datetime:
        """Do as `Source` says."""
        return self._last_modified[key].replace(microsecond=0)

    def _below(self, prefix: str) -> list[Folder] | _Refused:
        folders: dict[str, list[str]] = {}
        try:
            listed = self._listed(prefix)
        except (PermissionDeniedError, ClientError) as error:
            return _refused(error)
        for key, last_modified in listed:
            folder, _, name = key.rpartition("/")
            if is_object(name):
                folders.setdefault(f"{folder}/", []).append(name)
                self._last_modified[key] = last_modified
        return [Folder(folder, names) for folder, names in folders.items()]

    def _listed(self, prefix: str) -> list[tuple[str, datetime]]:
        """List keys and when they were stored."""
        try:
            found = chain.from_iterable(obstore.list(self._store, prefix))
            return [(item["path"], item["last_modified"]) for item in found]
        except (InvalidPathError, ValueError):
            return [
                (item["Key"], item["LastModified"].astimezone(UTC))
                for page in self._pages(Prefix=prefix)
                for item in page.get("Contents", ())
            ]

    def _folders_in(self, prefix: str) -> list[str]:
        """List the prefixes one level below, without the objects in them."""
        try:
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
            return [f"{path.rstrip('/')}/" for path in found]
        except (InvalidPathError, ValueError):
            pages = self._pages(Prefix=prefix, Delimiter="/")
            return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]

    def _get(self, key: str) -> bytes | _Refused | None:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            return self._get_by_boto3(key)
        except BaseError as error:
            return _refused(error)

    def _get_by_boto3(self, key: str) -> bytes | _Refused | None:
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ClientError as error:
            return None if _reason(error) == "NoSuchKey" else _refused(error)

    def _pages(self, **which: str) -> Iterable[dict[str, Any]]:
        pages: Iterable[dict[str, Any]] = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, **which
        )
        return pages

    @property
    def _client(self) -> Any:  # noqa: ANN401  # botocore makes its client classes at run time
        """The boto3 client, which is created when a key needs it."""
        with self._lock:
            if self._boto3_client is None:
                self._boto3_client = boto3.client("s3", config=Config(max_pool_connections=REQUESTS))
            return self._boto3_client

    def _refuse(self, key: str, refused: _Refused) -> None:
        if self._on_unreadable is None:
            raise AnalysisError(f"cannot read {self._name}/{key}: {refused.reason}")
        self._on_unreadable(key, refused.reason)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise AnalysisError with one line instead of the client's message, which is a page long."""
        try:
            yield
        except (BaseError, BotoCoreError, ClientError) as error:
            raise AnalysisError(f"cannot read {self._name}: {_reason(error)}") from error


def _credentials() -> Boto3CredentialProvider:
    """Find credentials as boto3 does: environment, profile, single sign-on, or the machine's own role."""
    try:
        return Boto3CredentialProvider()
    except ValueError as error:
        raise AnalysisError("there are no AWS credentials: set AWS_ACCESS_KEY_ID, AWS_PROFILE or the like") from error


def _refused(error: BaseError | ClientError) -> _Refused:
    """Tell that S3 refuses this one key. Raises the error again if it says something else."""
    reason = _reason(error)
    is_forbidden = isinstance(error, PermissionDeniedError) or (
        isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] == FORBIDDEN
    )
    # InvalidRequest: the object is encrypted with a key that only its owner has.
    is_encrypted = reason.startswith("KMS.") or reason == "InvalidRequest"
    if (is_forbidden and reason not in _OF_CALLER) or is_encrypted:
        return _Refused(reason)
    raise error


def _reason(error: Exception) -> str:
    """Give S3's error code, or the first line of another message."""
    if isinstance(error, ClientError):
        code = str(error.response["Error"]["Code"])
        return "AccessDenied" if code == str(FORBIDDEN) else code
    if found := _CODE.search(str(error)):
        return found[1]
    return "AccessDenied" if isinstance(error, PermissionDeniedError) else str(error).partition("\n")[0]
