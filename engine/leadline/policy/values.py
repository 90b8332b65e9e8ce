"""What a policy file may hold at one place, checked, with errors that name the place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import Any, TypeVar

from ..errors import PolicyError

Scalar = int | float | date | datetime

LARGEST = 2**64  # beyond the whole numbers of any column
LONGEST_TEXT = 256  # bytes; longer texts are not kept whole
_AGE = re.compile(r"([1-9][0-9]{0,8})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SHOWN = 80
_T = TypeVar("_T")
_KNOWN_SHOWN = 60


def refuse(place: str, problem: str) -> PolicyError:
    """The error that names a place of the file and what is wrong there."""
    return PolicyError(f"{place}: {problem}")


def require_known(place: str, name: str, known: Iterable[str], what: str) -> None:
    """Refuse a name that is not among ``known``, with the nearest one or all of them."""
    names = sorted(known)
    if name in names:
        return
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(names)}"
    raise refuse(place, f"there is no {what} `{name[:_SHOWN]}`; {hint}")


def table_of(place: str, value: object) -> Mapping[str, Any]:
    """A table of the file."""
    if not isinstance(value, Mapping):
        raise refuse(place, f"expected a table such as {{ min = 0 }}, not {_shown(value)}")
    return value


def list_of(place: str, value: object) -> Sequence[Any]:
    """A list that is not empty."""
    if not isinstance(value, list | tuple):
        raise refuse(place, f"expected a list such as [1, 2], not {_shown(value)}")
    if not value:
        raise refuse(place, "the list is empty")
    return value


def text_of(place: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise refuse(place, f"expected a text in quotes, not {_shown(value)}")
    return value


def texts_of(place: str, value: object) -> tuple[str, ...]:
    """One text, or a list of different ones."""
    if isinstance(value, str):
        return (text_of(place, value),)
    found = tuple(text_of(place, item) for item in list_of(place, value))
    return _different(place, found)


def flag_of(place: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise refuse(place, f"expected true or false, not {_shown(value)}")
    return value


def number_of(place: str, value: object) -> int | float:
    """A finite number that a column could hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(place, f"expected a number, not {_shown(value)}")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise refuse(place, "the number is beyond 2**64, which no column holds")
    if isinstance(value, float) and not math.isfinite(value):
        raise refuse(place, f"{value} is no bound; leave it out where there is none")
    return value


def scalar_of(place: str, value: object) -> Scalar:
    """A number, a date or an instant; one without a zone is in UTC."""
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        except OverflowError:
            raise refuse(place, f"{value} is beyond the years 1 to 9999 in UTC") from None
    if isinstance(value, date):
        return value
    if isinstance(value, time):
        raise refuse(place, "a time of day is no bound; give an instant or a number")
    return number_of(place, value)


def share_of(place: str, value: object) -> float:
    """A number from 0 to 1."""
    number = number_of(place, value)
    if not 0 <= number <= 1:
        raise refuse(place, f"{number} is no share; it lies between 0 and 1")
    return float(number)


def amount_of(place: str, value: object) -> int | float:
    """A number that is not negative."""
    number = number_of(place, value)
    if number < 0:
        raise refuse(place, f"{number} is negative; it counts something")
    return number


def age_of(place: str, value: object) -> int:
    """Seconds of a text such as ``36h``.

    >>> age_of("freshness", "36h")
    129600
    """
    match = _AGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refuse(place, f'{_shown(value)} is no length of time; write "90m", "36h" or "2d"')
    amount, unit = match.groups()
    return int(amount) * _SECONDS[unit]


def age_text(seconds: int) -> str:
    """A length of time as `age_of` reads it, in the largest unit that holds it whole.

    >>> age_text(129600), age_text(86400)
    ('36h', '1d')
    """
    unit = next(unit for unit in "wdhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def members_of(place: str, value: object) -> tuple[str | bool | Scalar, ...]:
    """The values of a set: different texts, numbers, dates or booleans, of one kind."""
    found: list[str | bool | Scalar] = []
    for item in list_of(place, value):
        if isinstance(item, str):
            if len(item.encode()) > LONGEST_TEXT:
                raise refuse(place, f"{_shown(item)} is longer than {LONGEST_TEXT} bytes")
            found.append(item)
        elif isinstance(item, bool):
            found.append(item)
        elif isinstance(item, datetime):
            raise refuse(place, "instants are not counted one by one; give `minimum`, `maximum`")
        else:
            found.append(scalar_of(place, item))
    kinds = {"number" if _is_number(item) else type(item).__name__ for item in found}
    if len(kinds) > 1:
        raise refuse(place, f"the values are of different kinds: {', '.join(sorted(kinds))}")
    return _different(place, tuple(found))


def _different(place: str, values: tuple[_T, ...]) -> tuple[_T, ...]:
    seen: set[_T] = set()
    for value in values:
        if value in seen:
            raise refuse(place, f"{_shown(value)} is there twice")
        seen.add(value)
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, int) and abs(value) > LARGEST:
        return "a number beyond 2**64"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
