"""Attributes that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 (a decorator, as `property` is)
    """`functools.cached_property` without its lock.

    Until Python 3.12 that has one lock for all instances of a class. A process that is forked while
    another thread holds it waits for ever in the child (seen: one fork in 200 of a service that
    summarises at the same time). Two threads that ask at once both make the value, and the later
    one stays: whoever uses this makes the same value each time.
    """

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | _T:
        if instance is None:
            return self
        # An entry of the instance comes before a descriptor that cannot be set.
        value = instance.__dict__[self._name] = self.make(instance)
        return value
