"""Rows of classes: what their fields are is found once a type, and how they are read."""

from __future__ import annotations

import dataclasses
from collections import UserDict, namedtuple
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import pytest

from capturing import recorder, rows_of
from leadline._capture import Recorder
from leadline.errors import InputError
from leadline.serve.rows import bind, fields_of, plan_of

EXPECTED = {"age": 31, "country": "DE"}


@dataclasses.dataclass
class Plain:
    age: int
    country: str
    limit: ClassVar[int] = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    age: int
    country: str


class Named(NamedTuple):
    age: int
    country: str


Old = namedtuple("Old", "age country")  # noqa: PYI024 (what older code has)


class Model:
    """What pydantic 2 gives: fields by name on the class, values as attributes."""

    model_fields: ClassVar[dict[str, Any]] = {"age": object(), "country": object()}

    def __init__(self, age: int, country: str) -> None:
        self.age, self.country = age, country


class OldModel(Model):
    model_fields = None  # type: ignore[assignment]
    __fields__: ClassVar[dict[str, Any]] = {"age": object(), "country": object()}


class Struct(Model):
    model_fields = None  # type: ignore[assignment]
    __struct_fields__ = ("age", "country")


class Attribute:
    def __init__(self, name: str) -> None:
        self.name = name


class Attrs(Model):
    model_fields = None  # type: ignore[assignment]
    __attrs_attrs__ = (Attribute("age"), Attribute("country"))


class Mapped(UserDict[str, Any]):
    pass


ROWS = [
    Plain(31, "DE"),
    Slotted(31, "DE"),
    Named(31, "DE"),
    Old(31, "DE"),
    Model(31, "DE"),
    OldModel(31, "DE"),
    Struct(31, "DE"),
    Attrs(31, "DE"),
    Mapped(EXPECTED),
    SimpleNamespace(**EXPECTED),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_rows_of_classes_are_logged_as_they_are(row):
    kept = recorder()
    for _ in range(3):
        kept.log(row)
    assert rows_of(kept) == [EXPECTED] * 3
    assert kept.fields == ("age", "country")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_a_bound_plan_reads_them_too(row):
    kept = recorder()
    plan = bind(kept, ["age", "country"])
    plan.log(row)
    assert rows_of(kept) == [EXPECTED]


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        (Plain, ("age", "country")),
        (Slotted, ("age", "country")),
        (Model, ("age", "country")),
        (Struct, ("age", "country")),
        (Attrs, ("age", "country")),
        (int, None),
        (dict, None),
        (object, None),
    ],
)
def test_fields_of_classes(type_, fields):
    assert fields_of(type_) == fields


def test_a_type_is_asked_for_its_fields_once(monkeypatch):
    from leadline import _capture

    asked: list[type] = []

    def ask(of: Recorder, type_: type) -> Any:
        asked.append(type_)
        return plan_of(of, type_)

    _capture.binder(ask)
    try:
        kept = recorder()
        for number in range(10):
            kept.log(Plain(number, "DE"))
            kept.log(Named(number, "DE"))
            kept.log(7)
    finally:
        _capture.binder(plan_of)
    assert asked == [Plain, Named, int]


def test_objects_of_any_class_have_the_declared_fields():
    class Row:
        def __init__(self) -> None:
            self.age, self.country, self.secret = 31, "DE", "not declared"

    kept = recorder(["age", "country"], fields_limit=2)
    kept.log(Row())
    assert rows_of(kept) == [EXPECTED]
    assert kept.extra() == {}
    kept.log(object())  # has none of them
    kept.log(7)
    assert kept.counters()["dropped"]["error"] == 2
    undeclared = recorder()
    undeclared.log(Row())
    assert undeclared.counters()["dropped"]["error"] == 1


def test_rows_of_several_classes_share_their_fields():
    @dataclasses.dataclass
    class Other:
        country: str
        score: float

    kept = recorder()
    kept.log(Plain(31, "DE"))
    kept.log(Other("FR", 0.5))
    kept.log({"score": 0.25})
    assert kept.fields == ("age", "country", "score")
    wide = [
        {"age": None, "country": "FR", "score": 0.5},
        {"age": None, "country": None, "score": 0.25},
    ]
    assert rows_of(kept) == [EXPECTED, *wide]
    # A class promises its own fields only; a dict is asked for all.
    assert kept.violations() == {"age": {"missing": 1}, "country": {"missing": 1}}


@pytest.mark.parametrize("fields", ["age", b"age", ["age", "age"], [1], ["\ud800"], ["a" * 2_000]])
def test_fields_that_cannot_be_bound(fields):
    with pytest.raises(InputError):
        bind(recorder(), fields)


def test_no_more_fields_than_allowed_can_be_bound():
    kept = recorder(fields_limit=2)
    with pytest.raises(InputError, match="too many"):
        bind(kept, ["a", "b", "c"])
