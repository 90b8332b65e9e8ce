"""The only module that imports Numba; imported only where a user's own function is to run.

Functions must be compiled with ``nogil=True``, or the threads of a scan would wait for each other.
They are compiled for their argument types before the first thread calls them: Numba compiles under
one lock, and an error in the user's function is told once, before the long work begins.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from numba import errors as numba_errors
from numba import typeof, types
from numba.core.dispatcher import Dispatcher

from .errors import InputError

_PLACE = re.compile(r'^File ".*", (line \d+)', re.MULTILINE)
# What Numba says around the reason, for those who work on Numba.
_AROUND = ("Failed in ", "There are ", "During: ", "- ", "File ")


def require_compiled(function: Callable[..., Any], what: str) -> None:
    """Refuse a function that would not run at native speed without the interpreter lock.

    Raises
    ------
    InputError
        If it is not decorated with ``@njit(nogil=True)``, or does not take two arguments.
    """
    if not isinstance(function, Dispatcher):
        raise InputError(f"{what} is not compiled; decorate it with @numba.njit(nogil=True)")
    if not function.targetoptions.get("nogil"):
        raise InputError(
            f"{what} is compiled without nogil=True, so threads would wait for each other; "
            "decorate it with @numba.njit(nogil=True)"
        )
    try:
        inspect.signature(function.py_func).bind(None, None)
    except TypeError as error:
        raise InputError(
            f"{what} cannot be called with two arguments: {error}; give it two"
        ) from error


def compile_for(function: Callable[..., Any], arguments: tuple[Any, ...], what: str) -> None:
    """Compile a function for the types of some arguments.

    Raises
    ------
    InputError
        If Numba cannot, with the first lines of its reason; or if the function returns something,
        which nobody would look at.
    """
    assert isinstance(function, Dispatcher)
    signature = tuple(map(typeof, arguments))
    try:
        function.compile(signature)
    except numba_errors.NumbaError as error:
        raise InputError(f"{what} cannot be compiled: {_told(str(error))}") from error
    compiled: Any = function.overloads[signature]
    if compiled.signature.return_type != types.none:
        raise InputError(
            f"{what} returns a value, which is not used; change its first argument in place "
            "(state[...] = ...) and return nothing"
        )


def _told(reason: str) -> str:
    """Where in the user's file, and the first lines of why."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(_AROUND)]
    place = _PLACE.search(reason)
    where = f"{place[1]}: " if place else ""
    return where + " ".join(told[:2])[:300]
