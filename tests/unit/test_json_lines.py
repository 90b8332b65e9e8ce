"""JSON Lines: types of texts that are times, and of columns that mix types."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import leadline as ll
from leadline.errors import InputError
from leadline.scan.formats import json_lines

TIMES = {
    "seconds": (["2024-05-01T10:00:00", "2024-05-01 10:00:01"], "timestamp[s]"),
    "fractions": (["2024-05-01T10:00:00.25", "2024-05-01T10:00:01"], "timestamp[us]"),
    "fractions in UTC": (["2024-05-01T10:00:00.25Z", "2024-05-01T10:00:01Z"], "timestamp[us]"),
    "zones on some": (["2024-05-01T10:00:00.25Z", "2024-05-01T10:00:01"], "timestamp[us]"),
    "nanoseconds": (["2024-05-01T10:00:00.250000000", "2024-05-01T10:00:01"], "timestamp[ns]"),
    "other zones": (["2024-05-01T12:00:00.25+02:00", "2024-05-01T10:00:01Z"], "timestamp[us]"),
}
NO_TIMES = {
    "some words": ["2024-05-01T10:00:00.25", "soon"],
    "month 13": ["2024-13-01T10:00:00.25", "2024-05-01T10:00:01.5"],
    "no instants": ["10:00:00.25", "10:00:01.5"],
}


@pytest.fixture(autouse=True, params=[1, 1 << 22])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block a line, and one for all."""
    monkeypatch.setattr(json_lines, "_BLOCK", request.param)


def profile_of(folder: Path, lines: list[str], **options: object) -> ll.Profile:
    path = folder / "a.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return ll.profile(path, **options)


def types_of(profile: ll.Profile) -> dict[str, str]:
    return {column.name: column.type for column in profile.columns}


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("case", TIMES)
def test_times(tmp_path: Path, case: str, mixed: bool) -> None:
    texts, type_ = TIMES[case]
    others = ["1", '"x"'] if mixed else ["1", "2"]
    lines = [f'{{"t": "{text}", "a": {other}}}' for text, other in zip(texts, others, strict=True)]
    whole = profile_of(tmp_path, lines, time="t", every="1h")
    assert types_of(whole) == {"t": type_, "a": "string" if mixed else "int64"}
    begin = datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert [window.start for window in whole.windows] == [begin.timestamp() * 1_000_000]
    fraction = 0 if case == "seconds" else 250_000
    assert whole["t"].min == begin.replace(microsecond=fraction)
    assert whole["t"].max == begin.replace(second=1)


@pytest.mark.parametrize("case", NO_TIMES)
def test_texts_that_are_not_all_times_stay_as_they_are(tmp_path: Path, case: str) -> None:
    texts = NO_TIMES[case]
    whole = profile_of(tmp_path, [f'{{"t": "{text}"}}' for text in texts])
    assert types_of(whole) == {"t": "string"}
    assert {value for value, _ in whole["t"].top} == set(texts)


def test_times_that_turn_out_to_be_texts(tmp_path: Path) -> None:
    lines = ['{"t": "2024-05-01T10:00:00.250"}'] * 50
    whole = profile_of(tmp_path, [*lines, '{"t": "soon"}'])
    assert types_of(whole) == {"t": "string"}
    assert dict(whole["t"].top) == {"2024-05-01T10:00:00.250": 50, "soon": 1}


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (['{"b": 1}', "3"], {'{"b": 1}', "3"}),
        (["3", '{"b": 1}'], {'{"b": 1}', "3"}),
        (["[1]", "true"], {"[1]", "true"}),
    ],
)
def test_mixed_columns_are_text_in_any_order(
    tmp_path: Path, values: list[str], texts: set[str]
) -> None:
    whole = profile_of(tmp_path, [f'{{"a": {value}}}' for value in values])
    assert types_of(whole) == {"a": "string"}
    assert {value for value, _ in whole["a"].top} == texts


def test_numbers_beyond_64_bits_are_floats_beside_mixed_columns(tmp_path: Path) -> None:
    big = 12345678901234567890123
    whole = profile_of(tmp_path, [f'{{"a": {big}, "b": 1}}', '{"a": 1, "b": "x"}'])
    assert types_of(whole) == {"a": "double", "b": "string"}
    assert whole["a"].max == float(big)


@pytest.mark.parametrize(
    "line", ['{"a": [null, null]}', '{"a": [null, 1]}', '{"a": {"b": [null]}}']
)
def test_lists_that_begin_with_nulls(tmp_path: Path, line: str) -> None:
    whole = profile_of(tmp_path, [line, line, "{}"])
    assert whole.rows == 3
    (column,) = whole.columns
    assert whole[column.name].nulls == 1


def test_times_that_no_type_holds_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_BLOCK", 1)
    texts = ["1500-05-01T10:00:00", "2024-05-01T10:00:00.123456789"]
    with pytest.raises(InputError, match=r"a\.jsonl: .*remove that time"):
        profile_of(tmp_path, [f'{{"t": "{text}"}}' for text in texts])
