"""A first policy from a reference: bounds with room, each with a comment on where it is from.

What is suggested follows TensorFlow Data Validation's `infer_schema` (presence, type, domain of few
values) and Deequ's constraint suggestions (completeness, ranges of categories, non-negative
numbers, uniqueness). Unlike these it leaves room that depends on the rows: what was not seen in n
rows may still occur in some 20 / n of the next ones.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from ..compare.thresholds import Thresholds
from ..errors import InputError
from ..profile import ColumnProfile, Profile, quality
from ..schema import Kind, Role
from .policy import Policy, Rule, Section, Settings, place_of
from .rules import Requirement
from .toml import assignment, comment_lines, value_text
from .values import LARGEST

ENOUGH = 100  # rows under which only names and types are taken over
MANY = 10_000  # rows from which "never" is taken at its word
# Of m new values some 2 m / n lie out of the range that n values had, by chance many more. With 1
# in 1,000 or 10 / n allowed, 2 to 4 % of the checks of 17 unchanged columns failed; now 2 of 820.
ROOM, FEWEST = 0.005, 1_000
CLOSE, SKETCHED_ROOM = 8, 0.02
SET_OF_TEXTS, SET_OF_NUMBERS = 50, 10  # distinct values that are written down as a set
MISSING_ROOM = 0.005  # more missing rows than in the reference, as a share, are always allowed
NEAR_ZERO = 0.05  # of the largest value: from there on, a smallest one may be near zero by chance
NEARLY_UNIQUE = 0.98
# An estimated distinct count of unique values is undecided at 0.92 (`quality.distinct`).
UNIQUE_AS_FAR_AS_KNOWN = 0.85
DIGITS = 3
# A flag's share in 1,000 rows is further off than 4 deviations once in 16,000 times; of 20 expected
# rows none is there once in e^20.
FLAG_DEVIATIONS, FLAG_EXPECTED = 4, 20
_UNRANGED = frozenset({Role.ID, Role.TIMESTAMP})
_DRIFT_SHOWN = ("ks", "total_variation", "cohens_h", "ratio", "significance", "minimum_rows")


def infer(profile: Profile, *, owner: str | None = None, runbook: str | None = None) -> Policy:
    """Make a policy that the profile keeps, for a person to edit.

    Parameters
    ----------
    profile
        The reference, over all its windows and segments.
    owner, runbook
        Printed with every violation.

    Raises
    ------
    InputError
        If the profile has no columns.

    Examples
    --------
    >>> import leadline as ll
    >>> policy = ll.infer(ll.profile({"age": [31, 45, 28, 52] * 50}))
    >>> [rule.key for rule in policy.rules if rule.place.startswith("[columns.age]")]
    ['type', 'completeness', 'values']
    """
    if not isinstance(profile, Profile):
        raise InputError(f"a profile is needed, not a {type(profile).__name__}")
    if not profile.names:
        raise InputError("the profile has no columns, so nothing follows from it")
    fewest = min(FEWEST, profile.rows)
    columns = []
    for name in profile.names:
        column = profile[name]
        columns.append(_column_section(column))
        vars(column).pop("band", None)
    return Policy(
        settings=Settings(owner=owner, runbook=runbook, minimum_rows=fewest or None),
        drift={},
        sections=(_table_section(profile), *_float_section(profile), *columns),
        comment=_HEAD.format(rows=f"{profile.rows:,}", columns=len(profile.names)),
        hints=tuple(_drift_hints()),
        source="the inferred policy",
    )


_HEAD = """\
What must hold of new data. Inferred from {rows} rows, {columns} columns; edit it.
Every bound is included. A rule passes, fails, or is undecided where a summary leaves both open.
Rules under `warning` do not fail a check unless it is asked to. Of under `minimum_rows` rows only
single values and the columns themselves are judged."""


def _drift_hints() -> Iterator[str]:
    yield from comment_lines(
        "Drift from the reference, where one is given. These are the defaults:"
    )
    for name in _DRIFT_SHOWN:
        yield f"# {assignment(name, getattr(Thresholds(), name))}"


def _table_section(profile: Profile) -> Section:
    rows, place = profile.rows, place_of(("table",))
    hint = {"min": math.ceil(rows / 2), "max": 2 * rows}
    comment = "" if rows else "there are none in the reference"
    rules = (
        Rule("rows", Requirement(min(rows, 1)), f"{place} rows", comment=comment),
        Rule(
            "closed",
            Requirement(argument=True),
            f"{place_of(('table', 'warning'))} closed",
            warning=True,
            comment="columns that this file does not name",
        ),
    )
    hints = (
        f"# half and twice the reference's {rows:,}, for data over as long a time:",
        f"# rows = {value_text(hint)}",
    )
    return Section(("table",), rules=rules, hints=hints if rows else ())


def _float_section(profile: Profile) -> Iterator[Section]:
    columns = (profile[name] for name in profile.names)
    found = [share for share in map(quality.infinite_share, columns) if share is not None]
    if not any(share.value == 0 for share in found):
        return
    place = f"{place_of(('types', 'float'))} infinities"
    every = all(share.value == 0 for share in found)
    comment = "none in the reference" if every else "of columns that do not say otherwise"
    rule = Rule("infinities", Requirement(None, 0.0), place, comment=comment)
    yield Section(("types", "float"), rules=(rule,))


def _column_section(column: ColumnProfile) -> Section:
    draft = _Draft(column)
    if column.kind is not Kind.NULL:
        nested = column.kind is Kind.UNSUPPORTED
        draft.error("type", Requirement(argument=(column.type if nested else column.kind.value,)))
    if column.kind is Kind.FLOAT and not draft.values:
        draft.off("infinities")  # which no other rule could decide
    if column.rows >= ENOUGH:
        _completeness(draft)
        if quality.values_of(column) >= ENOUGH and not column.state.column.redacted:
            _values(draft)
    return draft.section()


class _Draft:
    """The rules of one column while they are collected."""

    def __init__(self, column: ColumnProfile) -> None:
        self.column = column
        self.values = quality.values_of(column)
        self.drift: bool | None = None
        self.hints: list[str] = []
        self._rules: list[Rule] = []

    @property
    def room(self) -> float:
        """Share of the next values that may be unlike all of these."""
        return max(ROOM, 20 / self.values)

    @property
    def many(self) -> bool:
        """Whether what never happened may be forbidden."""
        return self.values >= MANY

    def error(self, key: str, requirement: Requirement, comment: str = "") -> None:
        place = place_of(("columns", self.column.name))
        self._rules.append(Rule(key, requirement, f"{place} {key}", comment=comment))

    def warning(self, key: str, requirement: Requirement, comment: str = "") -> None:
        place = place_of(("columns", self.column.name, "warning"))
        rule = Rule(key, requirement, f"{place} {key}", warning=True, comment=comment)
        self._rules.append(rule)

    def off(self, key: str) -> None:
        """Switch off what is said of all columns of the type."""
        place = place_of(("columns", self.column.name))
        self._rules.append(Rule(key, None, f"{place} {key}"))

    def section(self) -> Section:
        column = self.column
        about = [column.type, f"role {column.role}"]
        if column.rows < ENOUGH:
            about.append(f"{column.rows:,} rows are too few to say more")
        elif column.state.column.redacted:
            about.append("redacted")
        elif not self.values:
            about.append("no values")
        ordered = sorted(self._rules, key=lambda rule: rule.warning)
        return Section(
            ("columns", column.name),
            rules=tuple(ordered),
            drift=self.drift,
            comment=", ".join(about),
            hints=tuple(self.hints),
        )


def _completeness(draft: _Draft) -> None:
    column = draft.column
    missing = quality.missing_share(column)
    assert missing is not None
    share, rows = missing.value, column.rows
    if share == 0 and rows >= MANY:
        draft.error("completeness", Requirement(1.0), f"none of {rows:,} rows is missing")
        return
    # Rows go missing by the hour, so a small share may well be twice as large next time.
    allowed = min(max(2 * share, share + MISSING_ROOM) + 10 / rows, (1 + share) / 2)
    if share == 1:
        comment = "no value in the reference: any is news"
        draft.warning("completeness", Requirement(None, 0.0), comment)
    else:
        comment = f"{_percent(share)} of {rows:,} rows are missing; {_percent(allowed)} may be"
        draft.error("completeness", Requirement(_all_but(allowed)), comment)


def _values(draft: _Draft) -> None:
    """Rules that depend on what kind of column it is."""
    column = draft.column
    if column.kind is Kind.TIMESTAMP:
        draft.hints += ["# age of the newest value:", '# freshness = "36h"']
        return
    unique = _unique(draft)
    if unique:
        draft.drift = False if column.text is not None else None
    if column.role in _UNRANGED:
        return
    if column.kind is Kind.TEXT:
        _text(draft, unique=unique)
    elif column.kind is Kind.BOOLEAN:
        _flag(draft)
    elif column.kind in (Kind.INTEGER, Kind.FLOAT) and not unique:
        _number(draft)


def _unique(draft: _Draft) -> bool:
    """Whether nearly every value is another one, which a rule then asks for."""
    found = quality.uniqueness(draft.column)
    if found is None or found.value < NEARLY_UNIQUE or draft.column.kind is Kind.FLOAT:
        return False
    if found.lower == 1 and draft.many:
        draft.error("uniqueness", Requirement(1.0), "no value occurs twice")
    elif found.lower < found.upper:
        least = Requirement(UNIQUE_AS_FAR_AS_KNOWN)
        draft.error("uniqueness", least, "unique, as far as an estimated distinct count tells")
    return True


def _text(draft: _Draft, *, unique: bool) -> None:
    text, column = draft.column.text, draft.column
    assert text is not None
    shortest, longest = quality.shortest(column), quality.longest(column)
    assert shortest is not None and longest is not None
    if not unique and _set(draft, SET_OF_TEXTS):
        return
    if shortest.value == longest.value:
        ends, comment = (shortest.value, longest.value), "all are of one length"
    else:
        ends = (shortest.value // 2, 2 * longest.value)
        comment = f"{shortest.value:.0f} to {longest.value:.0f} characters, with room"
    draft.error("length", Requirement(int(ends[0]), int(ends[1])), comment)
    if text.empty == 0 and draft.many:
        draft.error("empty", Requirement(None, 0.0), "no text is empty")
    if text.counts.exact and not unique:
        hint = assignment("unseen", {"max": 0.01})
        draft.hints += ["# share of values that the reference lacks (needs one):", f"# {hint}"]
    elif not unique:
        share = quality.uniqueness(column)
        if share is not None and share.value > 0.5:
            draft.drift = False


def _set(draft: _Draft, most: int) -> bool:
    """Write the values down if they are few; whether it was done."""
    found = quality.distinct(draft.column)
    if found is None or found.value > most or draft.values < 10 * found.value:
        return False
    values = _counted(draft.column)
    if values is None:
        return False
    members = tuple(sorted(value for value, _ in values))
    rare = sum(count == 1 for _, count in values)
    if rare == 0 and draft.many:
        comment = (
            f"all {len(members)} of {draft.values:,} values" if len(members) > 1 else "constant"
        )
        draft.error("values", Requirement(1.0, None, members), comment)
    else:
        comment = f"all of {draft.values:,} values, with room for rare ones"
        draft.error("values", Requirement(_all_but(draft.room), None, members), comment)
    return True


def _counted(column: ColumnProfile) -> list[tuple[Any, int]] | None:
    """Distinct values with their counts, where all are counted and a file can hold them."""
    if column.text is not None:
        counts = column.text.counts
        if not counts.exact or counts.longest > 256:
            return None
        try:
            names = [key.decode() for key in counts.keys]
        except UnicodeDecodeError:
            return None
        return list(zip(names, counts.counts.tolist(), strict=True))
    numeric = column.numeric
    if numeric is None or numeric.counts is None:
        return None
    values = numeric.counts.values.tolist()
    if not all(math.isfinite(value) for value in values):
        return None
    if column.kind is Kind.BOOLEAN:
        values = [bool(value) for value in values]
    return list(zip(values, numeric.counts.counts.tolist(), strict=True))


def _number(draft: _Draft) -> None:
    column = draft.column
    assert column.numeric is not None
    infinite = _infinities(draft)
    moments = column.numeric.get_moments()
    low, high = moments.minimum, moments.maximum
    if low is None or high is None:  # all values are infinite
        return
    if column.kind is Kind.INTEGER and _set(draft, SET_OF_NUMBERS):
        if (low, high) == (0, 1):
            _band(draft)
        elif low < high:
            _mean(draft)
        return
    if low == high and not infinite:
        _set(draft, 1)
        return
    if column.role == Role.SCORE and low >= 0 and high <= 1 and not infinite:
        draft.error("minimum", Requirement(0), "scores lie between 0 and 1")
        draft.error("maximum", Requirement(None, 1))
    elif 0 <= low <= NEAR_ZERO * high and not column.numeric.negative_infinity:
        draft.error("minimum", Requirement(0), "near zero, but never below")
    ends = _outwards(column, low, high)
    comment = f"the reference's range, {_short(low)} to {_short(high)}"
    # Of values close together beside their size a sketch tells the share in a range to .7 %.
    close = high - low < max(abs(low), abs(high)) / CLOSE
    room = max(draft.room, SKETCHED_ROOM) if close else draft.room
    if infinite + room < 1:
        draft.error("shares", Requirement(_all_but(round(infinite + room, 9)), None, ends), comment)
    draft.error("distinct", Requirement(2), "not constant")
    _middle(draft)


def _infinities(draft: _Draft) -> float:
    """The share of infinite values that is allowed, written down where there are any."""
    found = quality.infinite_share(draft.column)
    if found is None or found.value == 0:
        return 0.0
    share = found.value
    comment = f"{_percent(share)} of {draft.values:,} values are infinite"
    rarer = min(share, 1 - share)
    room = max(2 * rarer, rarer + ROOM) + 10 / draft.values
    allowed = 1.0 if share > 0.5 else min(_rounded(room, ROUND_CEILING), 1.0)
    least = max(_all_but(room), 0.0) if share > 0.5 and room < 1 else None
    if least is not None or allowed < 1:
        most = allowed if allowed < 1 else None
        draft.error("infinities", Requirement(least, most), comment)
    else:
        draft.off("infinities")
    return allowed


def _flag(draft: _Draft) -> None:
    """Two values: which of them occur, and how often."""
    if _set(draft, 2) and draft.column.min != draft.column.max:
        _band(draft)


def _band(draft: _Draft) -> None:
    """How often a flag is set: odds from half to twice, with room for few rows.

    Where the rarer value is too frequent to be missing from 1,000 rows by chance, it must be there.
    """
    mean = quality.mean(draft.column)
    assert mean is not None
    share, rows = mean.value, min(draft.values, FEWEST)
    noise = FLAG_DEVIATIONS * math.sqrt(share * (1 - share) / rows) + FLAG_DEVIATIONS / rows
    low = min(share / (2 - share), share - noise)
    high = max(2 * share / (1 + share), share + noise)
    if min(share, 1 - share) * rows >= FLAG_EXPECTED:
        draft.error("distinct", Requirement(2), "not constant")
    ends = max(_rounded(low, ROUND_FLOOR), 0.0), min(_rounded(high, ROUND_CEILING), 1.0)
    comment = f"set in {_percent(share)}; odds from half to twice that, with room for chance"
    draft.warning("mean", Requirement(*ends), comment)


def _middle(draft: _Draft) -> None:
    """A warning on the median, or on the mean where half the values are one."""
    column = draft.column
    quartiles = quality.quantile(column, 0.25), quality.quantile(column, 0.75)
    median = quality.quantile(column, 0.5)
    assert quartiles[0] is not None and quartiles[1] is not None and median is not None
    low, high = quartiles[0].lower, quartiles[1].upper
    if not (
        math.isfinite(low) and math.isfinite(high) and low < median.lower <= median.upper < high
    ):
        _mean(draft)
        return
    ends = _outwards(column, low, high)
    draft.warning("quantiles", Requirement(*ends, "p50"), "between the reference's quartiles")


def _mean(draft: _Draft) -> None:
    column = draft.column
    mean, std = quality.mean(column), quality.std(column)
    if mean is None or std is None or not (math.isfinite(mean.value) and math.isfinite(std.value)):
        return
    if std.value == 0:
        return
    low, high = mean.value - std.value / 2, mean.value + std.value / 2
    step = Decimal(1).scaleb(_exact(std.value).adjusted() - 2)
    ends = float(_stepped(low, step, ROUND_FLOOR)), float(_stepped(high, step, ROUND_CEILING))
    if not all(map(math.isfinite, ends)):
        return
    comment = f"the reference's {_short(mean.value)} and half its standard deviation around it"
    draft.warning("mean", Requirement(*ends), comment)


def _outwards(column: ColumnProfile, low: float, high: float) -> tuple[float, float]:
    """Both ends rounded away from each other, to a hundredth or less of what lies between them."""
    whole = column.kind is Kind.INTEGER
    if not math.isfinite(high - low):
        return low, high
    step = Decimal(1).scaleb(_exact(high - low).adjusted() - 2)
    if whole:
        step = max(step, Decimal(1))
    found = []
    for end, rounding in ((low, ROUND_FLOOR), (high, ROUND_CEILING)):
        rounded = _stepped(end, step, rounding)
        number = int(rounded) if whole else float(rounded)
        found.append(number if abs(number) <= (LARGEST if whole else _LARGEST_DOUBLE) else end)
    return found[0], found[1]


def _stepped(value: float, step: Decimal, rounding: str) -> Decimal:
    steps = _WIDE.divide(_exact(value), step).to_integral_value(rounding, _WIDE)
    return _WIDE.multiply(steps, step)


def _all_but(share: float) -> float:
    """1 less a share, which is rounded up to three digits."""
    up = Context(prec=DIGITS, rounding=ROUND_CEILING).create_decimal(_exact(share))
    return float(1 - up)


def _rounded(share: float, rounding: str) -> float:
    """A share with three digits."""
    return float(Context(prec=DIGITS, rounding=rounding).create_decimal(_exact(share)))


def _exact(value: float) -> Decimal:
    """A number as its shortest decimal text says it."""
    return Decimal(repr(value))


_WIDE = Context(prec=60)
_LARGEST_DOUBLE = sys.float_info.max


def _short(value: float) -> str:
    return (
        f"{value:,.4g}"
        if abs(value) < 1e4
        else f"{value:,.0f}"
        if abs(value) < 1e15
        else f"{value:.4g}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.{3 if share > 0.99 else 2}g} %"
