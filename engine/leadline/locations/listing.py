"""Which files a URL names: one, a folder's, or those that match a pattern.

A store is asked once for all keys under the part of the URL that holds no pattern, with their
sizes; folders, patterns, hidden files and the order are those of local files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..errors import InputError
from .local import hidden
from .remote import RemoteFile, Store

_MAGIC = re.compile(r"[*?\[]")
_Key = tuple[str, ...]


def remote_files(store: Store, *, known: Callable[[str], bool], formats: str) -> list[RemoteFile]:
    """Files that the URL of a store names, sorted as local ones are.

    Parameters
    ----------
    store
        The store as the user's URL leads to it.
    known
        Whether a file of a folder is to be read, by its name.
    formats
        What ``known`` knows, for messages.

    Raises
    ------
    InputError
        If there are none, or the store does not answer.
    """
    if any(part in (".", "..") for part in store.path.split("/")):
        raise InputError(f"{store.label}: give the URL without . and .. in its path")
    if not store.path.strip("/"):
        raise InputError(f"{store.label} names no bucket or folder")
    pattern = _MAGIC.search(store.path)
    if pattern is None or store.scheme in ("http", "https"):
        found = _named(store, known)
        if found is None:
            raise InputError(f"{store.label} does not exist")
        if not found:
            raise _empty(store.label, formats)
        return found
    root = store.path[: pattern.start()].rpartition("/")[0]
    if not root.strip("/"):
        raise InputError(f"{store.label}: a pattern cannot stand for a bucket")
    infos = _listed(store, root)
    found = _matching(store, infos, root, known, formats)
    if not found:
        raise InputError(f"no file matches {store.label}")
    return found


def remote_file(url: str, options: Mapping[str, Any]) -> RemoteFile:
    """The one file that a URL names.

    Raises
    ------
    InputError
        If there is none, or the store does not answer.
    """
    store = Store(url, options)
    file = _file(store)
    if file is None:
        raise InputError(f"{store.label} does not exist")
    return file


def _file(store: Store) -> RemoteFile | None:
    """What the URL names, if it is a file."""
    try:
        info = store.fs.info(store.path)
    except FileNotFoundError as error:
        if "bucket does not exist" in str(error):
            raise InputError(f"{store.label}: there is no such bucket") from error
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            # A web server that could not be asked.
            raise InputError(f"{store.label}: {store.failure(cause)}") from error
        return None
    except Exception as error:
        raise InputError(f"{store.label}: {store.failure(error)}") from error
    return None if info.get("type") == "directory" else store.file({**info, "name": store.path})


def _named(store: Store, known: Callable[[str], bool]) -> list[RemoteFile] | None:
    """The file, or the folder's files; None if there is neither."""
    file = None if store.label.endswith("/") else _file(store)
    if file is not None:
        return [file]
    infos = _listed(store, store.path)
    if not infos:
        return None
    chosen = sorted((key for key in infos if _is_visible(key, known)), key=_folders_last)
    return [store.file(infos[key]) for key in chosen]


def _listed(store: Store, root: str) -> dict[_Key, Mapping[str, Any]]:
    """What is stored under a folder, by the parts of its path below it."""
    try:
        found = store.fs.find(root, detail=True)
    except FileNotFoundError as error:
        raise InputError(f"{store.label}: {store.failure(error)}") from error
    except Exception as error:
        raise InputError(f"{store.label} cannot be listed: {store.failure(error)}") from error
    begin = len(root.rstrip("/")) + 1
    return {
        tuple(path[begin:].split("/")): {**info, "name": path}
        for path, info in found.items()
        # Some tools mark a folder by an empty object whose key ends in a slash.
        if info.get("type", "file") != "directory" and len(path) >= begin and path[-1] != "/"
    }


def _is_visible(key: _Key, known: Callable[[str], bool]) -> bool:
    """Whether reading a folder reads the file of this path below it."""
    return known(key[-1]) and not any(map(hidden, key))


def _empty(folder: str, formats: str) -> InputError:
    return InputError(f"the folder {folder} holds no file of a known format ({formats})")


def _folders_last(key: _Key) -> list[tuple[bool, str]]:
    return [*((True, name) for name in key[:-1]), (False, key[-1])]


def _matching(
    store: Store,
    infos: Mapping[_Key, Mapping[str, Any]],
    root: str,
    known: Callable[[str], bool],
    formats: str,
) -> list[RemoteFile]:
    pattern = tuple(store.path[len(root.rstrip("/")) + 1 :].split("/"))
    # A name may hold what elsewhere makes a pattern.
    literal = any(key[: len(pattern)] == pattern for key in infos)
    tested: dict[_Key, bool] = {}
    matches: dict[_Key, list[_Key]] = {}
    for key in infos:
        for depth in range(len(key) + 1):
            match = key[:depth]
            if match not in tested:
                tested[match] = match == pattern if literal else matches_pattern(match, pattern)
            if tested[match]:
                below = matches.setdefault(match, [])
                if depth < len(key) and _is_visible(key[depth:], known):
                    below.append(key)
    files: dict[_Key, None] = {}
    for match in sorted(matches, key="/".join):
        below = [match] if match in infos else sorted(matches[match], key=_folders_last)
        if not below:
            raise _empty("/".join((store.shown(root), *match)), formats)
        files.update(dict.fromkeys(below))
    return [store.file(infos[key]) for key in files]


def matches_pattern(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path matches, as `glob.glob` with ``recursive=True`` does.

    >>> matches_pattern(("2026", "01", "a.csv"), ("**", "*.csv"))
    True
    >>> matches_pattern((".trash", "a.csv"), ("**", "*.csv"))
    False
    """
    if not pattern:
        return not names
    first, *rest = pattern
    if first == "**":
        for count in range(len(names) + 1):
            if matches_pattern(names[count:], rest):
                return True
            if count < len(names) and names[count].startswith("."):
                return False
        return False
    if not names or not fnmatchcase(names[0], first):
        return False
    if names[0].startswith(".") and not first.startswith("."):
        return False
    return matches_pattern(names[1:], rest)
