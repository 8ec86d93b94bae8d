"""Lists, reads and deletes everything below a prefix of a bucket, earlier versions included."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from analysis.errors import AnalysisError
from analysis.raw.local import is_directory, require_utf8
from analysis.raw.partitions import SCHEME
from chalicelib.keys import PREFIX

__all__ = ["Bucket", "Version", "open_bucket"]

REQUESTS = 32
WINDOW = 256  # bodies in memory at once
MOST_DELETED = 1000  # by one request


class Version(NamedTuple):
    """One object or an earlier version of it; `version` is None if the bucket keeps no versions."""

    key: str
    version: str | None = None


class Bucket(Protocol):
    """A bucket that objects can be deleted from. Every method raises AnalysisError if the bucket refuses.

    Also if it refuses a single object, which the error names: the object may be the person's.
    """

    def versions(self) -> list[Version]:
        """List every object below the prefix, whatever its name, and every earlier version.

        In a directory, also files whose names no object can have, because they are not UTF-8.
        """

    def read(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        """Give each version with its body; a version that no longer exists is left out."""

    def delete(self, versions: Sequence[Version]) -> None:
        """Delete these for good."""

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Store objects by key, each of them whole or not at all.

        Existing objects stay as they are, unless they are empty: an empty object is what a full disk leaves behind.
        """


def open_bucket(source: str | Path, prefix: str = PREFIX) -> Bucket:
    """Open the bucket `s3://bucket`, or the bucket in a directory.

    Args:
        source: Where it is.
        prefix: What the names of the objects begin with, up to a slash.

    Raises:
        AnalysisError: It is not there.
    """
    if str(source).startswith(SCHEME):
        return _S3Bucket(str(source).removeprefix(SCHEME).removesuffix("/"), prefix)
    if not is_directory(Path(source)):
        raise AnalysisError(f"{source} is not a directory: name one that holds {prefix}, or s3://BUCKET")
    require_utf8(Path(source))
    return _LocalBucket(Path(source), prefix)


class _LocalBucket:
    """Plain files, as the local S3 server keeps them: without versions."""

    def __init__(self, directory: Path, prefix: str) -> None:
        self._directory = directory
        self._prefix = prefix

    def versions(self) -> list[Version]:
        """See Bucket."""
        with self._errors():
            walk = os.walk(self._directory / self._prefix, onerror=_raise)
            found = [Path(folder, name) for folder, _, names in walk for name in names]
        return sorted(Version(path.relative_to(self._directory).as_posix()) for path in found)

    def read(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        """See Bucket."""
        for each in versions:
            with self._errors():
                try:
                    body = (self._directory / each.key).read_bytes()
                except FileNotFoundError:
                    continue
            yield each, body

    def delete(self, versions: Sequence[Version]) -> None:
        """See Bucket."""
        with self._errors():
            for each in versions:
                (self._directory / each.key).unlink(missing_ok=True)

    def put(self, objects: Mapping[str, bytes]) -> None:
        """See Bucket."""
        with self._errors():
            for key, body in objects.items():
                path = self._directory / key
                path.parent.mkdir(parents=True, exist_ok=True)
                _put_file(path, body)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AnalysisError(f"{error.filename or self._directory}: {error.strerror}") from error


class _S3Bucket:
    """A bucket behind S3's API, with all versions if it keeps them."""

    def __init__(self, name: str, prefix: str) -> None:
        self._name = name
        self._prefix = prefix
        with self._errors():
            self._client = boto3.client("s3", config=Config(max_pool_connections=REQUESTS))
            answer = self._client.get_bucket_versioning(Bucket=name)
        self._has_versions = "Status" in answer  # also if they are suspended

    def versions(self) -> list[Version]:
        """See Bucket."""
        with self._errors():
            if not self._has_versions:
                return [Version(each["Key"]) for each in self._pages("list_objects_v2", "Contents")]
            found = self._pages("list_object_versions", "Versions")
            return [Version(each["Key"], each["VersionId"]) for each in found]

    def read(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        """See Bucket."""
        waiting = iter(versions)
        with self._errors(), ThreadPoolExecutor(REQUESTS) as pool:
            while window := list(islice(waiting, WINDOW)):
                bodies = pool.map(self._get, window)
                yield from ((each, body) for each, body in zip(window, bodies, strict=True) if body is not None)

    def delete(self, versions: Sequence[Version]) -> None:
        """See Bucket."""
        for start in range(0, len(versions), MOST_DELETED):
            named = [{"Key": each.key} | self._version(each) for each in versions[start : start + MOST_DELETED]]
            with self._errors():
                answer = self._client.delete_objects(Bucket=self._name, Delete={"Objects": named, "Quiet": True})
            for error in answer.get("Errors", ()):
                raise AnalysisError(f"{error['Key']} was not deleted: {error.get('Code', 'S3 does not say why')}")

    def put(self, objects: Mapping[str, bytes]) -> None:
        """See Bucket."""
        for key, body in objects.items():
            try:
                with self._errors():
                    condition = self._replaceable(key)
                    self._client.put_object(Bucket=self._name, Key=key, Body=body, **condition)
            except AnalysisError as error:
                if not _is(error.__cause__, "PreconditionFailed", "ConditionalRequestConflict"):
                    raise

    def _replaceable(self, key: str) -> dict[str, str]:
        """Give the condition of a PUT that replaces no object but the empty one that is there now, if any."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key)
        except ClientError as error:
            if _is(error, "404", "NoSuchKey"):
                return {"IfNoneMatch": "*"}
            raise
        return {"IfMatch": answer["ETag"]} if answer["ContentLength"] == 0 else {"IfNoneMatch": "*"}

    def _get(self, each: Version) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._name, Key=each.key, **self._version(each))
            return bytes(answer["Body"].read())
        except ClientError as error:
            if _is(error, "NoSuchKey", "NoSuchVersion"):
                return None
            code = error.response["Error"]["Code"]
            raise AnalysisError(f"{SCHEME}{self._name} refuses {each.key}: {code}") from error

    @staticmethod
    def _version(each: Version) -> dict[str, str]:
        return {} if each.version is None else {"VersionId": each.version}

    def _pages(self, operation: str, member: str) -> Iterator[Any]:
        for page in self._client.get_paginator(operation).paginate(Bucket=self._name, Prefix=self._prefix):
            yield from page.get(member, ())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise AnalysisError(f"{SCHEME}{self._name} refuses: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            reason = " ".join(str(error).split())
            raise AnalysisError(f"cannot reach {SCHEME}{self._name}: {reason}") from error


def _put_file(path: Path, body: bytes) -> None:
    """Write a file beside `path`, then rename it, so that the file is whole even after a power cut.

    The lock on the directory lets one of two writers win, and the other see that.
    """
    partial = path.with_name(f"{path.name}.partial")  # not an object, by its ending
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_size > 0:
            return
        try:
            with partial.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(path)) from error
        os.fsync(directory)
    finally:
        os.close(directory)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # a bucket without events
        raise error


def _is(error: BaseException | None, *codes: str) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in codes
