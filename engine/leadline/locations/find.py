"""Paths and URLs, as the user gives them, to locations."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import Any, Protocol
from urllib.parse import unquote

from ..errors import InputError
from .base import Location
from .local import local_files
from .remote import REQUESTS, Kept, Store, scheme_of


def find(
    arguments: Iterable[str | bytes],
    *,
    known: Callable[[str], bool],
    formats: str,
    options: Mapping[str, Any] | None = None,
) -> list[Location]:
    """Files of paths, folders, globs and URLs, in the order given; one given twice counts once.

    Parameters
    ----------
    arguments
        What the user gave.
    known
        Whether a file of a folder is to be read, by its name.
    formats
        What ``known`` knows, for messages.
    options
        Arguments for the file systems of URLs (fsspec's ``storage_options``).

    Raises
    ------
    InputError
        If one of them names no file.
    """
    kept = Kept()
    places = [_place(os.fsdecode(argument), options or {}, kept) for argument in arguments]

    def files_of(place: str | Store) -> Iterable[Location]:
        if isinstance(place, str):
            return local_files(place, known=known, formats=formats)
        from .listing import remote_files

        return remote_files(place, known=known, formats=formats)

    if sum(isinstance(place, Store) for place in places) > 1:
        with ThreadPoolExecutor(REQUESTS) as threads:
            found = list(threads.map(files_of, places))
    else:
        found = list(map(files_of, places))
    once: dict[Hashable, Location] = {}
    for files in found:
        for file in files:
            once.setdefault(file.identity, file)
    return list(once.values())


def _place(argument: str, options: Mapping[str, Any], kept: Kept) -> str | Store:
    path = path_on_disk(argument)
    return Store(argument, options, kept) if path is None else path


class Placed(Protocol):
    """What has a place in a store."""

    @property
    def store(self) -> str:
        """See `Location`."""

    @property
    def parts(self) -> tuple[str, ...]:
        """See `Location`."""


def lineage_names(locations: Sequence[Placed]) -> list[str]:
    """Names relative to the folder that all files share, with ``/`` on every system.

    Where files come from several stores, those behind URLs have their whole URL as their name.
    """
    stores = list(dict.fromkeys(location.store for location in locations))
    roots = {store: _depth(locations, store) for store in stores}
    names: dict[str, None] = {}
    for location in locations:
        if location.store and len(stores) > 1:
            name = "/".join((location.store, *location.parts))
        else:
            name = "/".join(location.parts[roots[location.store] :])
        again = 1
        while name in names:  # URLs that differ only in a query, which may hold a secret
            again += 1
            name = f"{name.rpartition(' ')[0] if again > 2 else name} ({again})"
        names[name] = None
    return list(names)


def _depth(locations: Sequence[Placed], store: str) -> int:
    """Folders that all files of a store share."""
    inside = (location.parts[:-1] for location in locations if location.store == store)
    folders = zip(*inside, strict=False)
    return sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, folders))


def path_on_disk(argument: str) -> str | None:
    """The path itself, or that of a ``file://`` URL; None for other URLs.

    Special characters of a URL may be written in percent or as they are.
    """
    scheme = scheme_of(argument)
    if scheme is None:
        return argument
    return _path_of(argument) if scheme in ("file", "local") else None


def _path_of(url: str) -> str:
    path = url.partition("://")[2]
    if not path.startswith("/"):
        host, slash, path = path.partition("/")
        if host != "localhost" or not slash:
            raise InputError(f"{url}: give a whole path after file://, as in file:///logs/a.csv")
        path = slash + path
    decoded = unquote(path)
    return path if os.path.lexists(path) and not os.path.lexists(decoded) else decoded
