"""Texts, numbers and bars of the terminal reports."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from rich.console import RenderableType
from rich.text import Text

import leadline as ll
from leadline.report.bars import shares
from leadline.report.check import check_report
from leadline.report.compare import column_report as compared_column
from leadline.report.compare import comparison_report
from leadline.report.json import to_json
from leadline.report.layout import Field, line, wrapped
from leadline.report.show import column_report as show_column
from leadline.report.show import profile_report
from leadline.report.text import bars, number, printable, scalar, share, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zürich 東京", "Zürich 東京"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\tb\nc\x00", "a\\x09b\\x0ac\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("x\u202ey", "x\\u202ey"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (math.nan, "-"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (0.0, "0"),
        (-0.0, "0"),
        (7, "7"),
        (-1234567.0, "-1,234,567"),
        (123456789012, "1.2e+11"),
        (2**200, "1.6e+60"),
        (1e300, "1e+300"),
        (0.5, "0.5"),
        (-12.3456, "-12.35"),
        (999.96, "1,000"),
        (0.00012346, "0.0001235"),
        (0.000012345, "1.2e-05"),
    ],
)
def test_number(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0%"), (1e-9, "<0.1%"), (0.5, "50.0%"), (1 - 1e-9, ">99.9%"), (1, "100%")],
)
def test_share(value: float, shown: str) -> None:
    assert share(value) == shown


def test_scalar() -> None:
    assert scalar(True) == "true"
    assert scalar(date(2013, 1, 31)) == "2013-01-31"
    assert scalar(datetime(2013, 1, 31, tzinfo=UTC)) == "2013-01-31"
    assert scalar(datetime(2013, 1, 31, 5, 30, tzinfo=UTC)) == "2013-01-31 05:30"
    assert scalar("x\n") == "x\\x0a"


def test_shorten_counts_cells_not_characters() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten("東京都庁", 6) == "東京…"


def test_a_line_pads_and_cuts() -> None:
    fields = [Field("name", 6), Field("12", 4, right=True), Field("too long", 5)]
    assert line(fields).plain == "name     12 too…"


def test_bars_show_something_for_something() -> None:
    assert bars([0.0, 1e-9, 0.5, 1.0]) == " ▁▄█"
    assert bars([]) == ""
    assert bars([0.0, 0.0]) == "  "


def test_numbers_share_bins_between_outer_percentiles() -> None:
    random = np.random.default_rng(3)
    a, b = (ll.profile({"x": random.normal(m, 1, 5_000)})["x"] for m in (0, 2))
    first, second = shares([a, b], 16)
    assert len(first) == len(second) == 16
    assert sum(first) == pytest.approx(1)
    assert sum(second) == pytest.approx(1)
    assert np.argmax(first) < np.argmax(second)


def test_few_integers_get_a_bin_each() -> None:
    column = ll.profile({"x": [1, 1, 2, 3, 3, 3]})["x"]
    assert shares([column], 16) == [[pytest.approx(2 / 6), pytest.approx(1 / 6), 0.5]]


def test_texts_are_counted_by_the_first_profile_with_the_rest_last() -> None:
    a = ll.profile({"x": ["u", "u", "v"]})["x"]
    b = ll.profile({"x": ["v", "w", "w", "w"]})["x"]
    assert shares([a, b], 8) == [[pytest.approx(2 / 3), pytest.approx(1 / 3), 0.0], [0, 0.25, 0.75]]


def test_columns_without_values_have_no_bars() -> None:
    empty = ll.profile({"x": np.array([], dtype=float)})["x"]
    assert shares([empty], 8) == [[]]


def test_json_is_standard_and_ascii() -> None:
    figures = {"a": math.inf, "b": [math.nan, np.float64(1.5)], "c": "é\x1b", "d": date(2013, 1, 1)}
    text = to_json(figures)
    assert text.isascii()
    assert json.loads(text) == {"a": "Infinity", "b": [None, 1.5], "c": "é\x1b", "d": "2013-01-01"}


# Expected: the standard library's own writer, which indents as ours does.
@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"a": [], "b": {}, "c": [[], {}], "d": [{"x": {"y": [1]}}]},
        {"text": 'é\x1b"\\', "none": None, "yes": True, "no": False, "big": 2**80, "small": -0.0},
        {"floats": [0.1, 1e300, 5e-324, 3.0], "é": "…"},
    ],
)
def test_json_is_written_as_the_standard_library_writes_it(figures):
    assert to_json(figures) == json.dumps(figures, indent=2)


def test_json_of_what_json_does_not_know():
    found = json.loads(to_json({1: math.nan, "day": date(2020, 2, 1), "n": np.int64(3), "t": (1,)}))
    assert found == {"1": None, "day": "2020-02-01", "n": 3, "t": [1]}


def test_wrapped_text_never_passes_the_width() -> None:
    rows = [text.plain for text in wrapped("one two three", 10, indent=2)]
    assert rows == ["  one two", "  three"]
    assert [text.plain for text in wrapped("abcdefghijk", 8)] == ["abcdefgh", "ijk"]
    assert [text.plain for text in wrapped("東京東京東京", 8)] == ["東京東京", "東京"]
    assert [text.plain for text in wrapped("", 8, indent=1)] == [" "]
    assert [text.plain for text in wrapped("a\x1b[2J", 20)] == ["a\\x1b[2J"]


def plain(parts: list[RenderableType]) -> list[str]:
    return [part.plain if isinstance(part, Text) else str(part) for part in parts]


def test_names_that_cannot_be_seen_are_quoted() -> None:
    random = np.random.default_rng(4)
    a = ll.profile({"": random.normal(0, 1, 500), " x": random.normal(0, 1, 500)})
    b = ll.profile({"": random.normal(2, 1, 500), " x": random.normal(2, 1, 500)})
    assert [x.split()[0] for x in plain(profile_report(a, title="t", width=100))[-2:]] == [
        "''",
        "'",
    ]
    assert plain(show_column(a[""]))[0].startswith("'' · double")
    result = ll.compare(a, b)
    told = "\n".join(plain(comparison_report(result, reference="a", current="b", width=100)))
    assert told.count("\n''  ") == 2  # in the table and in the ranking
    assert "\n' x'" in told
    assert plain(compared_column(result[""], width=100))[0].startswith("'' · numeric")
    policy = ll.Policy.parse('version = 1\n[columns.""]\nmaximum = 0\n[table]\nrows = {max = 1}')
    lines = plain(check_report(ll.check(b, policy), "b", None, width=100, failed=True))
    assert [x.split()[1] for x in lines if x.startswith("violation")] == ["(table)", "''"]


def test_a_check_says_what_drifted() -> None:
    random = np.random.default_rng(5)
    values = random.normal(2, 1, 2_000)
    now = np.where(random.random(2_000) < 0.3, np.nan, values)
    a, b = (ll.profile({"x": side}) for side in (values - 2, now))
    result = ll.check(b, ll.Policy.parse("version = 1"), reference=a)
    lines = plain(check_report(result, "b", "a", width=100, failed=True))
    found = [line.split(maxsplit=2)[2] for line in lines if line.startswith("violation")]
    assert found == ["values by [drift]", "missing share by [drift]"]


def test_all_drifted_columns_of_a_segment_are_told() -> None:
    random = np.random.default_rng(6)
    names = [f"quite_a_long_name_{i}" for i in range(7)]
    sides = [
        ll.profile(
            {"country": ["DE"] * 300} | {n: random.normal(shift, 1, 300) for n in names},
            segments=["country"],
        )
        for shift in (0, 3)
    ]
    result = ll.compare(*sides, by="country")
    lines = plain(comparison_report(result, reference="a", current="b", width=100))
    first = next(i for i, text in enumerate(lines) if text.startswith("DE "))
    told = " ".join(text[58:].strip() for text in lines[first : first + 8])
    assert all(name in told for name in names)
    assert "…" not in told
    assert max(map(len, lines)) <= 100


def test_many_drifted_columns_of_a_segment_end_somewhere() -> None:
    random = np.random.default_rng(6)
    names = [f"quite_a_long_name_{i}" for i in range(40)]
    sides = [
        ll.profile(
            {"country": ["DE"] * 200} | {n: random.normal(shift, 1, 200) for n in names},
            segments=["country"],
        )
        for shift in (0, 3)
    ]
    lines = plain(
        comparison_report(ll.compare(*sides, by="country"), reference="a", current="b", width=100)
    )
    assert sum(text.endswith("and more (--json has them all)") for text in lines) == 1
