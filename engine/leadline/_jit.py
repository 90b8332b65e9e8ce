"""The only module that imports Numba; imported only where a user's own function is to run.

Functions must be compiled with ``nogil=True``, or the threads of a scan would wait for each other.
They are compiled for their argument types before the first thread calls them: Numba compiles under
one lock, and an error in the user's function is told once, before the long work begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import errors as numba_errors
from numba import typeof
from numba.core.dispatcher import Dispatcher

from .errors import InputError


def require_compiled(function: Callable[..., Any], what: str) -> None:
    """Refuse a function that would not run at native speed without the interpreter lock.

    Raises
    ------
    InputError
        If it is not decorated with ``@njit(nogil=True)``.
    """
    if not isinstance(function, Dispatcher):
        raise InputError(f"{what} is not compiled; decorate it with @numba.njit(nogil=True)")
    if not function.targetoptions.get("nogil"):
        raise InputError(
            f"{what} is compiled without nogil=True, so threads would wait for each other; "
            "decorate it with @numba.njit(nogil=True)"
        )


def compile_for(function: Callable[..., Any], arguments: tuple[Any, ...], what: str) -> None:
    """Compile a function for the types of some arguments.

    Raises
    ------
    InputError
        If Numba cannot; with the first lines of its reason.
    """
    assert isinstance(function, Dispatcher)
    try:
        function.compile(tuple(map(typeof, arguments)))
    except numba_errors.NumbaError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(f"{what} cannot be compiled: {' '.join(lines[:4])[:300]}") from error
