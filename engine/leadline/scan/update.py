"""Adding to a profile the files that are new since it was made, as its lineage tells.

The result is what one scan over the files of the lineage and then the new ones would have given,
to the byte: the states of a profile are those with which a scan goes on. What such a scan would
have done otherwise from its start on cannot be made up for, and is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from ..errors import InputError
from ..locations import Location, lineage_names
from ..profile import Cell, ColumnState, LineageEntry, Profile, SchemaEvent, Settings
from ..profile.cells import with_functions
from ..profile.custom import CustomSummary
from ..schema import Kind
from .evolution import Evolution, FileColumn
from .outlook import Request, other_type
from .sources import Files, fingerprints_of

_ADVICE = "profile all files anew, or profile the new ones alone and merge the two"

_URL = re.compile(r"([a-z0-9+.-]+://[^/]*)/(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file of a store."""

    store: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Additions:
    """What an update adds to a profile, and the profile's own lineage beside it.

    Parameters
    ----------
    files, names
        The new files, in the order given, and their names in the lineage.
    lineage, events
        Of the profile, with names relative to the root that all files now share.
    """

    files: Files
    names: list[str]
    lineage: tuple[LineageEntry, ...]
    events: tuple[SchemaEvent, ...]


def require_updatable(base: Profile) -> None:
    """Refuse a profile with which no scan can go on.

    Raises
    ------
    InputError
        If the profile is redacted, or is not what one scan of files gave.
    """
    if base.continuation is not None:
        return
    reason = "it did not come out of one run over files (merged, rolled up, or from memory)"
    if base.settings.redacted:
        reason = "of its redacted columns only replacements are left"
    raise InputError(f"the snapshot cannot be updated: {reason}; {_ADVICE}")


def as_recorded(
    base: Profile,
    request: Request,
    settings: Settings,
    *,
    separate: bool | None,
    rank_error: float | None,
) -> tuple[Request, Settings]:
    """The request and settings with which a profile was made.

    Parameters
    ----------
    request, settings
        What the caller gave; what was left out is None or empty.
    separate, rank_error
        These two likewise.

    Raises
    ------
    InputError
        If something that was given is not as it was.
    """
    past, made = base.continuation, base.settings
    assert past is not None
    _agree("redact", request.redacted or None, ())
    _agree("columns", request.columns, past.columns)
    _agree("roles", dict(request.roles) or None, dict(past.roles))
    _agree("segments", request.segments or None, made.segments)
    _agree("time", settings.time, made.time)
    _agree("every", settings.every, made.every)
    _agree("tz", settings.tz, made.tz)
    _agree("rank_error", rank_error, made.rank_error)
    _agree("on_schema_change", _named_choice(separate), _named_choice(past.separate))
    recorded = replace(
        request,
        time=made.time,
        windowed=made.every is not None,
        segments=made.segments,
        roles=past.roles,
        columns=past.columns,
        separate=past.separate,
    )
    return recorded, made


def _named_choice(separate: bool | None) -> str | None:
    return None if separate is None else "separate" if separate else "error"


def _agree(what: str, given: object, recorded: object) -> None:
    if given is not None and given != recorded:
        made = f"with {what} {recorded!r}, not" if recorded else f"without {what}, not with"
        raise InputError(
            f"the snapshot was made {made} {given!r}; leave {what} out to go on as it was made, or "
            "profile all files anew"
        )


def holds(base: Profile, files: Files, request: Request, settings: Settings) -> bool:
    """Whether a profile is what a scan of these files with these settings gives."""
    past, made = base.continuation, base.settings
    if past is None or replace(settings, tz=settings.tz or made.tz) != made:
        return False
    chosen = (request.columns, dict(request.roles), request.separate, request.redacted)
    if chosen != (past.columns, dict(past.roles), past.separate, ()):
        return False
    sizes = [location.size for location in files.locations]
    known = [(entry.name, entry.size) for entry in base.lineage]
    if known != list(zip(lineage_names(files.locations), sizes, strict=True)):
        return False
    return fingerprints_of(files) == [entry.footer_hash for entry in base.lineage]


def additions(base: Profile, files: Files) -> Additions:
    """Tell new files from those that a profile holds, by name, size and footer.

    Names in a lineage are relative to a root of which nothing else is recorded; it is the folder
    under which most of the given files are files of the lineage.

    Raises
    ------
    InputError
        If a file of the lineage has changed or seems to have been renamed, or none is given.
    """
    listed = {entry.name: entry for entry in base.lineage}
    pairs = [
        (location, entry, root)
        for location in files.locations
        for entry, root in _candidates(location, listed)
    ]
    equal = _are_equal(files, [(location, entry) for location, entry, _ in pairs])
    root = _root([pair for pair, same in zip(pairs, equal, strict=True) if same])
    held: dict[Hashable, str] = {}
    for (location, entry, its_root), same in zip(pairs, equal, strict=True):
        if its_root in (root, None) or root is None:
            if not same:
                raise _changed(location, entry)
            held[location.identity] = entry.name
    if not held:
        raise InputError(
            f"none of the files of the snapshot (such as {base.lineage[0].name!r}) is among the "
            "paths, so new files cannot be told from old ones; give paths that hold both (files "
            "that are in the snapshot are not read again), or profile the new files alone and "
            "merge the two"
        )
    new = [location for location in files.locations if location.identity not in held]
    names = set(held.values())
    _refuse_renamed(files, new, [entry for entry in base.lineage if entry.name not in names])
    return _named(base, root, replace(files, locations=new))


def _candidates(
    location: Location, listed: Mapping[str, LineageEntry]
) -> Iterator[tuple[LineageEntry, Place | None]]:
    """Files of the lineage that a file may be by its name, and the root that would mean."""
    parts = location.parts
    for begin in range(len(parts) - 1, -1, -1):
        entry = listed.get("/".join(parts[begin:]))
        if entry is not None:
            yield entry, Place(location.store, parts[:begin])
    entry = listed.get("/".join((location.store, *parts)))
    if entry is not None and location.store:  # the name is a whole URL
        yield entry, None


def _are_equal(files: Files, pairs: Sequence[tuple[Location, LineageEntry]]) -> list[bool]:
    """Whether each file has the size and footer of the file of the lineage beside it."""
    like = {location.identity: location for location, entry in pairs if location.size == entry.size}
    found = fingerprints_of(replace(files, locations=list(like.values()))) if like else []
    fingerprints = dict(zip(like, found, strict=True))
    return [
        location.size == entry.size and fingerprints[location.identity] == entry.footer_hash
        for location, entry in pairs
    ]


def _root(pairs: Sequence[tuple[Location, LineageEntry, Place | None]]) -> Place | None:
    """The folder to which the names of the lineage are relative: the first with most files."""
    votes = Counter(root for _, _, root in pairs if root is not None)
    return max(votes, key=lambda root: votes[root], default=None)


def _changed(location: Location, entry: LineageEntry) -> InputError:
    what = "footer" if location.size == entry.size else "size"
    return InputError(
        f"{location.label} is not the file that the snapshot holds as {entry.name!r}: its {what} "
        "differs; profile all files anew, and put new rows into new files"
    )


def _refuse_renamed(files: Files, new: Sequence[Location], missing: Sequence[LineageEntry]) -> None:
    """Refuse new files that look like files of the lineage that are not given."""
    sizes: dict[int, list[LineageEntry]] = {}
    for entry in missing:
        if entry.rows:
            sizes.setdefault(entry.size, []).append(entry)
    pairs = [(location, entry) for location in new for entry in sizes.get(location.size, ())]
    for (location, entry), same in zip(pairs, _are_equal(files, pairs), strict=True):
        if same:
            raise InputError(
                f"{location.label} has the size and footer of {entry.name!r}, which the snapshot "
                "holds and which is not among the paths; its rows would count twice if it was "
                "renamed: give it its old name, or profile all files anew"
            )


def _named(base: Profile, root: Place | None, new: Files) -> Additions:
    """Names relative to the root that the profile's files and the new ones share."""
    if not new.locations:
        return Additions(new, [], base.lineage, base.events)
    past = [_place_of(entry.name, root) for entry in base.lineage]
    names = lineage_names([*past, *new.locations])
    renamed = dict(zip((entry.name for entry in base.lineage), names, strict=False))
    return Additions(
        new,
        names[len(past) :],
        tuple(replace(entry, name=renamed[entry.name]) for entry in base.lineage),
        tuple(
            replace(event, source=renamed.get(event.source, event.source)) for event in base.events
        ),
    )


def _place_of(name: str, root: Place | None) -> Place:
    """Where a file of the lineage is or was."""
    match = _URL.fullmatch(name)
    if match is not None or root is None:
        store, path = match.groups() if match is not None else ("", name)
        return Place(store, tuple(path.split("/")))
    return Place(root.store, (*root.parts, *name.split("/")))


# --- states --------------------------------------------------------------------------------------


def cells_to_go_on_with(
    base: Profile,
    evolution: Evolution,
    summaries: Mapping[str, CustomSummary],
    empty: Callable[[FileColumn], ColumnState],
) -> list[Cell]:
    """The profile's cells, as a scan that knew the new files from its start would have made them.

    Parameters
    ----------
    evolution
        The columns of the profile's files; its outlook has met the new ones.
    summaries
        The users' own summaries.
    empty
        Gives the state of a column without rows.

    Raises
    ------
    InputError
        If that scan would have read the earlier files in other types, or kept other summaries.
    """
    _require_summaries(base, summaries)
    wide, time = evolution.foreseen(), base.settings.time
    if base.settings.every is not None and time in wide and evolution.only_null(time):
        raise other_type(time, "only null", wide[time])  # and the zone might have been another
    cells = []
    for cell in base.cells:
        if not cell.rows:  # stands for a profile without rows
            continue
        states = dict(cell.states)
        for name in wide.keys() & states.keys():
            states[name] = _as_read(states[name], wide[name], evolution, empty)
        for name, value in zip(base.settings.segments, cell.segment, strict=True):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if whole and name in wide and pa.types.is_floating(wide[name]):
                raise other_type(name, "of integers", wide[name])
        cells.append(with_functions(replace(cell, states=states), summaries))
    return cells


def _as_read(
    state: ColumnState,
    type_: pa.DataType,
    evolution: Evolution,
    empty: Callable[[FileColumn], ColumnState],
) -> ColumnState:
    """A state as it had been if its column had been read in this type."""
    name = state.column.name
    if state.column.type == str(type_):
        return state
    if state.column.kind is not Kind.NULL:
        raise other_type(name, state.column.type, type_)
    column = FileColumn(evolution.describe(name, name, type_), (name,), type_)
    return replace(empty(column), rows=state.rows, nulls=state.nulls)


def _require_summaries(base: Profile, summaries: Mapping[str, CustomSummary]) -> None:
    held = {own for cell in base.cells for state in cell.states.values() for own in state.custom}
    if held != set(summaries):
        raise InputError(
            f"the snapshot holds the summaries {sorted(held)} of one's own, and the update is to "
            f"keep {sorted(summaries)}; give the same ones"
        )
