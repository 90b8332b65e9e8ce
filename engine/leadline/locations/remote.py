"""Files behind URLs, through fsspec, which is imported only when a URL is given.

Credentials, endpoints and the like are fsspec's business: the environment, its configuration files,
or ``storage_options``. They are never in a name, a message or a snapshot.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow as pa

from ..errors import InputError
from .base import ENDS, hash_of_ends
from .ranges import Range, RangeFile

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*::)*([A-Za-z][A-Za-z0-9+.-]+)://")
_LOGIN = re.compile(r"(?<=://)[^/@]*:[^/]*@")
_QUERY = re.compile(r"\?.*", re.DOTALL)
_WEB = ("http", "https")
_CLOUD = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl")
_SECRET = re.compile("key|secret|token|password|passwd|credential|sas|connection", re.IGNORECASE)

REQUESTS = 16  # requests under way at once
_ATTEMPTS = 3
_PAUSE = 0.3  # seconds before the second attempt; four times that before the third
_KEPT = 1 << 26  # bytes of files' ends that are kept, for what is read twice
_BLOCK = 1 << 22  # a stream is read in requests of this many bytes
# A reader of CSV has asked for this much before it tells the types; then it is read again.
_FRONT = 3 * _BLOCK


def scheme_of(argument: str) -> str | None:
    """The scheme of a URL, in small letters; None for a path."""
    match = _URL.match(argument)
    return match[1].lower() if match else None


class Kept:
    """Bytes that are needed twice: ends of files, and the first blocks of the text read last."""

    def __init__(self) -> None:
        self._tails: dict[Hashable, bytes] = {}
        self._room = _KEPT
        self._front: tuple[Hashable, dict[int, bytes]] = (None, {})
        self._lock = threading.Lock()

    def add_tail(self, file: Hashable, tail: bytes) -> None:
        """Remember the end of a file, while there is room."""
        with self._lock:
            if file not in self._tails and len(tail) <= self._room:
                self._tails[file] = tail
                self._room -= len(tail)

    def tail(self, file: Hashable) -> bytes:
        """The end of a file, as far as it is remembered."""
        return self._tails.get(file, b"")

    def add_block(self, file: Hashable, begin: int, data: bytes) -> None:
        """Remember a block, and forget those of other files."""
        with self._lock:
            last, blocks = self._front
            self._front = (file, {**(blocks if last == file else {}), begin: data})

    def block(self, file: Hashable, begin: int) -> bytes | None:
        """A block, if it is remembered."""
        last, blocks = self._front
        return blocks.get(begin) if last == file else None


@cache
def _requests(process: int) -> ThreadPoolExecutor:  # noqa: ARG001  (threads do not survive a fork)
    """The threads that wait for stores."""
    return ThreadPoolExecutor(REQUESTS, thread_name_prefix="leadline-requests")


class Store:
    """What a URL begins with: a file system of fsspec, and how its files are named.

    To be made in one thread, as fsspec has other file systems, with other connections, in others.

    Parameters
    ----------
    url
        A URL of the store, perhaps with a pattern in it.
    options
        Arguments for the file system.
    kept
        What the stores of one run keep together.

    Raises
    ------
    InputError
        If the scheme is unknown, what it needs is not installed, or the file system refuses.
    """

    def __init__(self, url: str, options: Mapping[str, Any], kept: Kept | None = None) -> None:
        scheme = scheme_of(url)
        assert scheme is not None
        if "\0" in url:
            raise InputError(f"{shown(url)!r} is not a URL: it holds a zero byte")
        url = scheme + url[len(scheme) :]  # S3://, which fsspec does not know
        self.label = shown(url)
        self.scheme = scheme
        self._secrets = sorted(_secrets(url, options), key=len, reverse=True)
        self.fs, self.path = self._connect(url, options)
        bare = url.rstrip("/")
        rooted = bare.endswith(self.path) and self.path
        self._prefix = bare[: len(bare) - len(self.path)] if rooted else f"{scheme}://"
        self.kept = kept if kept is not None else Kept()

    def file(self, info: Mapping[str, Any]) -> RemoteFile:
        """A file that the store has told about."""
        path, size = str(info["name"]), info.get("size")
        label = self.shown(path)
        if not isinstance(size, int):
            raise InputError(f"{label}: the server does not tell its size; copy it to disk first")
        kind, _, rest = label.partition("://")
        parts = tuple(rest.lstrip("/").split("/"))
        top = 0 if self.scheme == "memory" or len(parts) == 1 else 1  # the bucket or the host
        store = f"{kind}://{''.join(parts[:top])}"
        return RemoteFile(self, path, size, _version(info), label, store, parts[top:])

    def shown(self, path: str) -> str:
        """A path of the file system as a URL, without secrets."""
        return shown(self._prefix + path)

    def read(self, path: str, begin: int, end: int, version: str | None) -> bytes:
        """Bytes of a file by position.

        A request that fails for another reason than the file itself is repeated twice.

        Raises
        ------
        OSError
            If that does not help, or the file has changed.
        """
        if begin >= end:
            return b""
        for attempt in range(_ATTEMPTS):
            try:
                data = self._request(path, begin, end, version)
                if len(data) == end - begin:
                    return data
                failure: OSError = OSError(
                    f"{len(data):,} bytes came in place of {end - begin:,} at byte {begin:,}; "
                    "it may have changed while it was read"
                )
                if len(data) > end - begin:
                    failure = OSError(
                        "the server does not serve parts of files; copy it to disk first"
                    )
                    break
            except Exception as error:  # noqa: BLE001  (every library has failures of its own)
                failure = self.failure(error)
                if isinstance(failure, FileNotFoundError | PermissionError | _ChangedError):
                    break
            if attempt < _ATTEMPTS - 1:
                time.sleep(_PAUSE * 4**attempt)
        raise failure

    def failure(self, error: Exception) -> OSError:
        """An error of whatever library as one with a message in one line, without secrets."""
        text = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        for secret in self._secrets:
            text = text.replace(secret, "***")
        if isinstance(error, FileNotFoundError):
            return FileNotFoundError(f"it is not there ({text})")
        if isinstance(error, PermissionError):
            return PermissionError(f"access was denied ({text}); check the credentials")
        if "redential" in type(error).__name__ or "credentials" in text:
            return PermissionError(
                f"{text}; give them in the environment or in fsspec's configuration"
            )
        if "pre-condition" in text or "PreconditionFailed" in text:
            return _ChangedError("it changed while it was read; run again")
        return OSError(text)

    def _connect(self, url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise InputError(
                f"{self.label}: URLs need fsspec; install it with leadline[cloud]"
            ) from error
        try:
            fs, path = url_to_fs(url, **options)
        except ImportError as error:
            hint = "; it comes with leadline[cloud]" if self.scheme in _CLOUD else ""
            raise InputError(f"{self.label}: {self.failure(error)}{hint}") from error
        except Exception as error:
            if "rotocol not known" in str(error):
                raise InputError(
                    f"{self.label}: {self.scheme}:// is not a known kind of URL; "
                    "known are s3, gs, az, abfs, https, file, memory and others of fsspec"
                ) from error
            raise InputError(f"{self.label}: {self.failure(error)}") from error
        # Listings of an earlier call may be older than its files.
        fs.invalidate_cache()
        return fs, path

    def _request(self, path: str, begin: int, end: int, version: str | None) -> bytes:
        if version is not None and self.scheme in ("s3", "s3a"):
            from fsspec.asyn import sync

            bucket, key, _ = self.fs.split_path(path)
            span = f"bytes={begin}-{end - 1}"
            answer = self.fs.call_s3(
                "get_object", Bucket=bucket, Key=key, Range=span, IfMatch=version
            )
            body: bytes = sync(self.fs.loop, answer["Body"].read)
            return body
        more = {"generation": version} if version and self.scheme in ("gs", "gcs") else {}
        data: bytes = self.fs.cat_file(path, start=begin, end=end, **more)
        return data


@dataclass(slots=True, eq=False)
class RemoteFile:
    """A file behind a URL.

    Parameters
    ----------
    origin
        The file system it lives in.
    path
        Its path there.
    version
        What changes with its content, where the store can check that at no cost.
    """

    origin: Store
    path: str
    size: int
    version: str | None
    label: str
    store: str
    parts: tuple[str, ...]
    _head: bytes | None = field(default=None, init=False, repr=False)
    _hash: str | None = field(default=None, init=False, repr=False)

    @property
    def identity(self) -> tuple[object, ...]:
        """The file system and the path in it."""
        return (id(self.origin.fs), self.path)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders."""
        return self.parts[:-1]

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.parts[-1]

    def open(self, plan: Iterable[Range] = ()) -> pa.NativeFile:
        """The file by position; the ranges of the plan are asked for ahead."""
        return self._handle(plan, sure=True)

    def map(self) -> pa.NativeFile:
        """As `open`."""
        return self.open()

    def stream(self, *, again: bool = True) -> pa.NativeFile:  # noqa: ARG002
        """The file in order, in large requests."""
        starts = range(0, self.size, _BLOCK)
        plan = ((start, min(start + _BLOCK, self.size)) for start in starts)
        return self._handle(plan, sure=False)

    def head(self, count: int) -> bytes:
        """The first bytes."""
        if self._head is None or len(self._head) < min(count, self.size):
            self._head = self._fetch(0, min(max(count, ENDS), self.size))
        return self._head[:count]

    def tail(self, count: int) -> bytes:
        """The last bytes."""
        kept = self.origin.kept.tail(self.identity)
        if min(count, self.size) <= len(kept):
            return kept[-count:]
        return self._fetch(max(self.size - count, 0), self.size)

    def keep(self, tail: bytes) -> None:
        """Remember the end of the file, while there is room."""
        self.origin.kept.add_tail(self.identity, tail)

    def hash_of_ends(self) -> str:
        """Hash of size, head and tail."""
        if self._hash is None:
            head = self.head(ENDS)
            tail = head if self.size <= ENDS else self.tail(ENDS)
            self._hash, self._head = hash_of_ends(self.size, head, tail), None
        return self._hash

    def _handle(self, plan: Iterable[Range], *, sure: bool) -> pa.NativeFile:
        fetch = self._fetch if sure else self._fetch_block
        file = RangeFile(fetch, _requests(os.getpid()), self.size, plan, sure=sure)
        return pa.PythonFile(file, mode="r")

    def _fetch_block(self, begin: int, end: int) -> bytes:
        """A block of a stream; the first ones are kept for the file's next pass."""
        kept = self.origin.kept.block(self.identity, begin)
        if kept is not None:
            return kept
        data = self._fetch(begin, end)
        if begin < _FRONT:
            self.origin.kept.add_block(self.identity, begin, data)
        return data

    def _fetch(self, begin: int, end: int) -> bytes:
        return self.origin.read(self.path, begin, end, self.version)


class _ChangedError(OSError):
    """The file is no longer what was listed."""


def shown(url: str) -> str:
    """A URL as it may be seen by anyone: without a login, and on the web without a query.

    >>> shown("https://me:secret@example.org/a.csv?signature=abc")
    'https://***@example.org/a.csv'
    """
    url = _LOGIN.sub("***@", url)
    return _QUERY.sub("", url) if scheme_of(url) in _WEB else url


def _secrets(url: str, options: Mapping[str, Any]) -> set[str]:
    """Texts that must not be in a message."""
    found = {match[0] for match in _LOGIN.finditer(url)}
    found |= {login.rpartition("@")[0].partition(":")[2] for login in found}
    if scheme_of(url) in _WEB:
        found |= {match[0] for match in _QUERY.finditer(url)}
    values = [options]
    while values:
        for name, value in values.pop().items():
            if isinstance(value, Mapping):
                values.append(value)
            elif isinstance(value, str) and _SECRET.search(str(name)):
                found.add(value)
    return {text for text in found if len(text) > 2}


def _version(info: Mapping[str, Any]) -> str | None:
    """S3's entity tag, or Google's generation."""
    version = info.get("ETag") or info.get("generation")
    return str(version) if version else None
