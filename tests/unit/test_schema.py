"""Columns: kinds, storages and roles inferred from Arrow types; types widened."""

from __future__ import annotations

import pyarrow as pa
import pytest

from leadline._native import Storage
from leadline.errors import ComparisonError, InputError
from leadline.schema import Column, Kind, Role, columns_of, merge_columns, role_named, widen

KINDS = [
    (pa.bool_(), Kind.BOOLEAN, Storage.INT64),
    (pa.int8(), Kind.INTEGER, Storage.INT64),
    (pa.uint32(), Kind.INTEGER, Storage.INT64),
    (pa.uint64(), Kind.INTEGER, Storage.UINT64),
    (pa.float16(), Kind.FLOAT, Storage.FLOAT64),
    (pa.float32(), Kind.FLOAT, Storage.FLOAT64),
    (pa.decimal128(12, 2), Kind.FLOAT, Storage.FLOAT64),
    (pa.date32(), Kind.DATE, Storage.INT64),
    (pa.date64(), Kind.DATE, Storage.INT64),
    (pa.time32("ms"), Kind.INTEGER, Storage.INT64),
    (pa.duration("s"), Kind.INTEGER, Storage.INT64),
    (pa.timestamp("us", "UTC"), Kind.TIMESTAMP, Storage.INT64),
    (pa.string(), Kind.TEXT, None),
    (pa.string_view(), Kind.TEXT, None),
    (pa.large_binary(), Kind.TEXT, None),
    (pa.dictionary(pa.int8(), pa.string()), Kind.TEXT, None),
    (pa.dictionary(pa.int8(), pa.int64()), Kind.INTEGER, Storage.INT64),
    (pa.null(), Kind.NULL, None),
    (pa.list_(pa.float32()), Kind.UNSUPPORTED, None),
    (pa.map_(pa.string(), pa.int32()), Kind.UNSUPPORTED, None),
]


@pytest.mark.parametrize(("type_", "kind", "storage"), KINDS, ids=[str(row[0]) for row in KINDS])
def test_kind_and_storage_follow_from_the_type(
    type_: pa.DataType, kind: Kind, storage: Storage | None
) -> None:
    (column,) = columns_of(pa.schema([("x", type_)]))
    assert (column.kind, column.storage) == (kind, storage)


def test_losses_are_named() -> None:
    schema = pa.schema([("price", pa.decimal128(38, 4)), ("tags", pa.list_(pa.string()))])
    price, tags = columns_of(schema)
    assert price.note == "profiled as float64; digits beyond the 15th are lost"
    assert tags.note == "list<item: string> is not profiled; rows and nulls are counted"


def test_structs_are_flattened() -> None:
    inner = pa.struct([("lat", pa.float64()), ("name", pa.struct([("first", pa.string())]))])
    names = [column.name for column in columns_of(pa.schema([("at", inner), ("n", pa.int8())]))]
    assert names == ["at.lat", "at.name.first", "n"]


def test_roles_are_given_or_inferred_with_their_reason() -> None:
    schema = pa.schema(
        [
            ("ts", pa.timestamp("s")),
            ("seen", pa.timestamp("s")),
            ("p", pa.float64()),
            ("c", pa.string()),
        ]
    )
    columns = columns_of(schema, roles={"p": "score"}, time="ts", segments=["c"])
    assert [(column.role.value, column.role_reason) for column in columns] == [
        ("timestamp", "it is the time column"),
        ("timestamp", "its type is a timestamp"),
        ("score", "given"),
        ("segment", "it is a segment column"),
    ]


def test_wrong_names_and_roles_are_refused_with_a_suggestion() -> None:
    schema = pa.schema([("country", pa.string())])
    with pytest.raises(InputError, match="no column 'contry'; did you mean 'country'"):
        columns_of(schema, segments=["contry"])
    with pytest.raises(InputError, match="no role 'target'; use one of feature"):
        columns_of(schema, roles={"country": "target"})
    with pytest.raises(InputError, match="column 'a' occurs more than once"):
        columns_of(pa.schema([("a", pa.int8()), ("a", pa.int8())]))
    with pytest.raises(InputError, match=r"'a\.b' occurs more than once"):
        columns_of(pa.schema([("a", pa.struct([("b", pa.int8())])), ("a.b", pa.int8())]))


def test_weights_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="column 'w': rows cannot be weighted yet"):
        role_named("w", "weight")


def test_a_name_that_is_no_utf8_is_refused() -> None:
    schema = pa.schema([(b"\xff", pa.int8())])
    with pytest.raises(InputError, match="a column name is not valid UTF-8"):
        columns_of(schema)


WIDENED = [
    (pa.int8(), pa.int64(), pa.int64()),
    (pa.uint8(), pa.uint32(), pa.uint32()),
    (pa.uint32(), pa.int32(), pa.int64()),
    (pa.uint64(), pa.int8(), pa.float64()),
    (pa.int64(), pa.float32(), pa.float64()),
    (pa.decimal128(9, 2), pa.int32(), pa.float64()),
    (pa.null(), pa.string(), pa.string()),
    (pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.string()),
    (pa.timestamp("s", "UTC"), pa.timestamp("ns", "UTC"), pa.timestamp("ns", "UTC")),
    (pa.timestamp("s", "UTC"), pa.timestamp("s", "Europe/Paris"), pa.timestamp("s", "UTC")),
    (pa.timestamp("s"), pa.timestamp("s", "UTC"), None),
    (pa.int64(), pa.string(), None),
    (pa.bool_(), pa.int64(), None),
    (pa.duration("s"), pa.int64(), None),
    (pa.date32(), pa.date64(), pa.date32()),
]


@pytest.mark.parametrize(("a", "b", "expected"), WIDENED, ids=[f"{a}+{b}" for a, b, _ in WIDENED])
def test_widening_is_symmetric(
    a: pa.DataType, b: pa.DataType, expected: pa.DataType | None
) -> None:
    assert widen(a, b) == expected
    assert widen(b, a) == expected


def test_columns_of_two_profiles_merge_or_refuse() -> None:
    def column(type_: pa.DataType, **roles: str) -> Column:
        return columns_of(pa.schema([("x", type_)]), roles=roles)[0]

    merged = merge_columns(column(pa.int32()), column(pa.float32(), x="score"))
    assert merged is not None
    assert (merged.type, merged.kind, merged.storage) == ("double", Kind.FLOAT, Storage.FLOAT64)
    assert (merged.role, merged.role_reason) == (Role.SCORE, "given")
    assert merge_columns(column(pa.null()), column(pa.string())).kind is Kind.TEXT  # type: ignore[union-attr]
    assert merge_columns(column(pa.int32()), column(pa.string())) is None
    assert merge_columns(column(pa.time32("s")), column(pa.int32())) is None


ROLES: list[tuple[dict[str, object], str]] = [
    ({}, "feature"),
    ({"roles": {"x": "score"}}, "score"),
    ({"time": "x"}, "timestamp"),
]


@pytest.mark.parametrize("type_", [pa.int32(), pa.timestamp("s")])
def test_the_stronger_reason_for_a_role_wins_in_either_order(type_: pa.DataType) -> None:
    columns = [columns_of(pa.schema([("x", type_)]), **options)[0] for options, _ in ROLES]  # type: ignore[arg-type]
    default, given, time = columns
    for weaker, stronger in ((default, given), (default, time), (time, given)):
        for merged in (merge_columns(weaker, stronger), merge_columns(stronger, weaker)):
            assert merged is not None
            assert (merged.role, merged.role_reason) == (stronger.role, stronger.role_reason)


@pytest.mark.parametrize("types", [(pa.int32(), pa.int32()), (pa.int32(), pa.float64())])
def test_two_given_roles_that_differ_are_refused_in_either_order(
    types: tuple[pa.DataType, pa.DataType],
) -> None:
    score, label = (
        columns_of(pa.schema([("x", type_)]), roles={"x": role})[0]
        for type_, role in zip(types, ("score", "label"), strict=True)
    )
    for a, b in ((score, label), (label, score)):
        message = f"column 'x' has the role {a.role} on one side and {b.role} on the other"
        with pytest.raises(ComparisonError, match=message):
            merge_columns(a, b)
    again = merge_columns(score, score)
    assert again is not None
    assert again.role is Role.SCORE
