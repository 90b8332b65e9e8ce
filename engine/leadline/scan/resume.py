"""What a scan must know to go on after an interruption, as JSON values and back.

A checkpoint stands between two units of one source: everything before it is folded. Sources behind
that point may have changed since; what lies before it may not.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from ..errors import InputError
from ..locations import Location
from ..profile import LineageEntry, Profile
from ..snapshot.cells import Head, encode_head
from .checkpoint import AFRESH
from .evolution import Evolution
from .formats.base import Learning, Source
from .options import Options


@dataclass(frozen=True, slots=True)
class Position:
    """How far a scan is: sources that are folded whole, and rows folded of the next one."""

    place: int
    rows: int


def description(options: Options, kind: str | None) -> dict[str, Any]:
    """What must be the same in the scan that goes on; ``kind`` is how files are read."""
    request = asdict(options.request)
    request["roles"] = dict(sorted(options.request.roles.items()))
    described = {
        "request": request,
        "settings": json.loads(options.settings.to_json()),
        "summaries": [
            [name, str(own.initial.dtype), list(own.initial.shape), own.initial.tobytes().hex()]
            for name, own in sorted(options.summaries.items())
        ],
        "format": kind,
        "base": None if options.base is None else _digest(options.base),
    }
    return json.loads(json.dumps(described))  # type: ignore[no-any-return]


def _digest(base: Profile) -> str:
    head = encode_head(Head.of(base))
    return hashlib.blake2b(head + str(base.rows).encode(), digest_size=16).hexdigest()


def require_same(state: Mapping[str, Any], options: Options, kind: str | None) -> None:
    """Refuse to go on with other settings than those of the scan that was interrupted.

    Raises
    ------
    InputError
        Naming the first that differs.
    """
    wanted = description(options, kind)
    if state["base"] != wanted["base"]:
        began = "adding new files to a snapshot" if state["base"] else "a new snapshot"
        raise InputError(
            f"the interrupted run was {began}, and not what is asked for now; give the same "
            f"options, or {AFRESH}"
        )
    for part in ("settings", "request"):
        for name, value in wanted[part].items():
            if state[part][name] != value:
                recorded = state[part][name]
                had = f"{name} {recorded!r}" if recorded else f"no {name}"
                raise InputError(
                    f"the interrupted run had {had}, not {value!r}; give the same options, or "
                    f"{AFRESH}"
                )
    for name in ("summaries", "format"):
        if state[name] != wanted[name]:
            raise InputError(
                f"the interrupted run had other {name}; give the same options, or {AFRESH}"
            )


def input_state(location: Location, entry: LineageEntry) -> dict[str, Any]:
    """A file of which rows have been folded."""
    return {
        "place": [location.store, *location.parts],
        "version": location.version,
        **asdict(entry),
    }


def require_inputs(
    state: Mapping[str, Any], locations: Sequence[Location], sources: Sequence[Source]
) -> None:
    """Refuse to go on if a file that has been read changed, or others come before it now.

    Raises
    ------
    InputError
        Naming the first such file.
    """
    given = [[location.store, *location.parts] for location in locations]
    for place, known in enumerate(state["inputs"]):
        if place >= len(given) or given[place] != known["place"]:
            if known["place"] in given:
                raise InputError(
                    f"{sources[place].label} comes before files that the interrupted run has read, "
                    "and was not there; leave it out now and add it with an update later, or "
                    f"{AFRESH}"
                )
            raise InputError(
                f"{known['name']}, which the interrupted run has read, is not among the paths; "
                f"give the same paths, or {AFRESH}"
            )
        location, source = locations[place], sources[place]
        same = (
            location.version == known["version"]
            and location.size == known["size"]
            and source.fingerprint() == known["footer_hash"]
        )
        if not same:
            raise InputError(
                f"{source.label} has changed since the interrupted run read it; {AFRESH}"
            )


def columns_state(evolution: Evolution) -> dict[str, Any]:
    """Columns and types met, as they were before the source that is being read."""
    return {"evolution": evolution.state(), "outlook": evolution.outlook.state()}


def recall_columns(state: Mapping[str, Any], evolution: Evolution, names: Iterable[str]) -> None:
    """The inverse of `columns_state`.

    Parameters
    ----------
    names
        What the inputs are called now; their common root may be another one.
    """
    renamed = dict(zip(state["names"], names, strict=False))
    evolution.outlook.restore(state["outlook"])
    evolution.restore(state["evolution"], renamed)


def types_state(source: Source) -> str | None:
    """What reading has told of a source's types."""
    if not isinstance(source, Learning):
        return None
    schema = source.learned()
    return None if schema is None else base64.b64encode(schema.serialize()).decode()


def recall_types(text: str | None, source: Source) -> None:
    """The inverse of `types_state`."""
    if text is not None:
        assert isinstance(source, Learning)
        source.assume(pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text))))
