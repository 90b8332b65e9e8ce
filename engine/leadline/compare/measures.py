"""All statistics of one column of two profiles, each computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from ..profile import ColumnProfile
from ..profile.summaries import NumericSummary, TextSummary
from ..schema import Kind, merge_columns
from ..sketch.ranks import Band, bucket_distance
from . import binned, contingency, moments, numeric, quantiles, ranks, shares
from .bands import BandPair, Steps
from .categorical import all_cells, entropy_change
from .cells import Cells
from .custom import CustomStatistic
from .edges import decile_cells
from .moments import MomentsPair
from .shares import Occurrences
from .statistic import MissingStatisticError, Statistic, undefined
from .tally import Tallies, Tally
from .two_valued import TwoValued, two_categories, two_numbers

_BINNED: dict[str, Callable[[Cells], Statistic]] = {
    "jensen_shannon": binned.jensen_shannon,
    "kl_divergence": binned.kl_divergence,
    "hellinger": binned.hellinger,
    "bhattacharyya": binned.bhattacharyya,
    "total_variation": binned.total_variation,
    "overlap": binned.overlap,
    "l_infinity": binned.l_infinity,
}
_CONTINGENCY: dict[str, Callable[[Cells], Statistic]] = {
    "chi2": contingency.chi2,
    "cramers_v": contingency.cramers_v,
    "g_test": contingency.g_test,
    "entropy_change": entropy_change,
}
_SHARES: dict[str, Callable[[Occurrences, Occurrences], Statistic]] = {
    "cohens_h": shares.cohens_h,
    "share_ratio": shares.share_ratio,
    "z_test": shares.z_test,
    "fisher_exact": shares.fisher_exact,
}
_BANDS: dict[str, Callable[[Measures], Statistic]] = {
    "wasserstein_scaled": lambda column: numeric.wasserstein_scaled(column.get("wasserstein")),
    "energy": lambda column: numeric.energy(column.bands, unit=column.unit),
    "kuiper": lambda column: numeric.kuiper(column.bands),
    "cliffs_delta": lambda column: ranks.cliffs_delta(column.get("mann_whitney")),
}
_RANKS: dict[str, Callable[[Steps], Statistic]] = {
    "cramer_von_mises": ranks.cramer_von_mises,
    "anderson_darling": ranks.anderson_darling,
    "mann_whitney": ranks.mann_whitney,
}
_MOMENTS: dict[str, Callable[[MomentsPair], Statistic]] = {
    "welch_t": moments.welch_t,
    "cohens_d": moments.cohens_d,
    "variance_ratio": moments.variance_ratio,
}
_SHIFTS = {f"shift_{name}": share for name, share in quantiles.SHARES.items()}
_CELLS = {"psi": binned.psi} | _BINNED | _CONTINGENCY
NUMERIC = ("ks", "wasserstein", *_RANKS, *_BANDS, "psi", *_BINNED, *_SHIFTS, *_MOMENTS)
CATEGORICAL = ("chi2", "psi", *_BINNED, "cramers_v", "g_test", "entropy_change")
TWO_VALUED = tuple(_SHARES)
NAMES = tuple(dict.fromkeys(NUMERIC + CATEGORICAL + TWO_VALUED))
# What a whole table's results hold without being asked: all statistics of a column take 6 ms.
USUAL = (
    "ks",
    "wasserstein",
    "psi",
    "jensen_shannon",
    "total_variation",
    "chi2",
    "cohens_h",
    "share_ratio",
)

_T = TypeVar("_T")
_PARTS = ("bands", "steps", "cells", "tallies")  # what `Measures.release` drops
_BOOLEANS = {b"0": b"false", b"1": b"true"}
_UNITS = {Kind.DATE: "days"}


@dataclass(frozen=True, slots=True)
class Measures:
    """One column on both sides. Parts are computed on first use and kept."""

    reference: ColumnProfile
    current: ColumnProfile
    own: Mapping[str, CustomStatistic] = field(default_factory=dict, kw_only=True)
    _kept: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def obstacle(self) -> str:
        """Why the values cannot be compared at all; empty if they can."""
        return self._keep("obstacle", self._obstacle)

    @property
    def kind(self) -> str:
        """``numeric``, ``categorical``, or ``other`` for what has no statistics."""
        return self._keep("kind", self._kind)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the statistics that this column has."""
        kind = self.kind
        names = {"numeric": NUMERIC, "categorical": CATEGORICAL}.get(kind, ())
        if self.two_valued is not None:
            names += TWO_VALUED
        return names + tuple(name for name, own in self.own.items() if kind in own.kinds)

    @property
    def unit(self) -> str:
        """Unit of the values, as far as the type says it."""
        return self.reference.state.column.unit or _UNITS.get(self.reference.kind, "")

    def get(self, name: str) -> Statistic:
        """One statistic.

        Raises
        ------
        MissingStatisticError
            If this column does not have it.
        """
        if name not in self.names:
            what = self.obstacle or f"{self.reference.type} columns have {', '.join(self.names)}"
            raise MissingStatisticError(
                f"column {self.reference.name!r} has no statistic {name!r}; {what or 'none'}"
            )
        return self._keep(name, lambda: self._compute(name))

    def total(self, side: ColumnProfile) -> int:
        """Values of a side that are neither null nor NaN."""
        summary = side.state.summary
        if summary is None:
            return 0
        # Asked for by everything; exact counts are added up each time.
        which = "reference's total" if side is self.reference else "current total"
        return self._keep(which, lambda: summary.total)

    @property
    def bands(self) -> BandPair:
        """Both cumulative distributions at common points."""
        return self._keep("bands", lambda: BandPair.of(self.reference.band, self.current.band))

    @property
    def scale(self) -> float | None:
        """Spread of the reference (`numeric.spread_of`)."""
        return self._keep("scale", self._scale)

    def shift(self, share: float, name: str) -> Statistic:
        """Shift of a quantile of a column of numbers with values on both sides."""
        return quantiles.quantile_shift(
            self.reference.band,
            self.current.band,
            share,
            name=name,
            unit=self.unit,
            scale=self.scale,
        )

    @property
    def tallies(self) -> Tallies | None:
        """Counts of single values on both sides; None where a side no longer holds them."""
        return self._keep("tallies", self._tallies)

    @property
    def two_valued(self) -> TwoValued | None:
        """How often the second value of a column of two occurred; None if it has more values."""
        return self._keep("two_valued", self._two_valued)

    def release(self) -> None:
        """Drop what statistics were computed from; they stay, others compute it again."""
        for part in _PARTS:
            self._kept.pop(part, None)
        for side in (self.reference, self.current):
            vars(side).pop("band", None)  # a cached property: computed again when asked for

    def once(self, name: str, make: Callable[[], _T]) -> _T:
        """What ``make`` gives, made once and kept; of what it rests on, what was there stays.

        The changes in words of thousands of columns are asked for one after the other, whose bands
        would all be held; one column whose statistics are being looked at keeps its own.
        """
        if name not in self._kept:
            held = any(part in self._kept for part in _PARTS)
            held = held or any("band" in vars(side) for side in (self.reference, self.current))
            self._keep(name, make)
            if not held:
                self.release()
        return cast(_T, self._kept[name])

    def exact_numbers(self, side: ColumnProfile) -> bool:
        """Whether a numeric side counts every value."""
        return side.numeric is not None and side.numeric.counts is not None

    def _obstacle(self) -> str:
        a, b = self.reference.state.column, self.current.state.column
        if merge_columns(a, b) is None:
            return f"types differ: {a.type} and {b.type}"
        if a.redacted != b.redacted:
            return "the column is redacted on one side only, which moves its values"
        for column in (a, b):
            if column.kind is Kind.UNSUPPORTED:
                return f"type {column.type} is not profiled"
        return ""

    def _kind(self) -> str:
        kinds = {side.kind for side in (self.reference, self.current)} - {Kind.NULL}
        if self.obstacle or not kinds:
            return "other"
        if kinds <= {Kind.BOOLEAN} or kinds <= {Kind.TEXT}:
            return "categorical"
        return "numeric" if kinds <= {Kind.INTEGER, Kind.FLOAT, Kind.DATE} else "other"

    def _compute(self, name: str) -> Statistic:
        own = self.own.get(name)
        unit = self.unit if name == "wasserstein" or name in _SHIFTS else own.unit if own else ""
        for label, side in (("reference", self.reference), ("current profile", self.current)):
            if self.total(side) == 0:
                return undefined(name, unit, f"the {label} has no values")
        if name in self.own:
            return self.own[name].compute(self.reference, self.current, self._cells)
        if name in _SHARES:
            pair = self.two_valued
            assert pair is not None
            return replace(_SHARES[name](pair.reference, pair.current), categories=pair.names)
        if name in _CELLS:
            return _CELLS[name](self._cells())
        if name == "ks":
            return self._ks()
        if name == "wasserstein":
            return self._wasserstein()
        if name in _BANDS:
            return _BANDS[name](self)
        if name in _RANKS:
            return _RANKS[name](self._keep("steps", lambda: Steps.of(self.bands)))
        if name in _MOMENTS:
            return _MOMENTS[name](self._keep("moments", self._moments))
        return self.shift(_SHIFTS[name], name)

    def _ks(self) -> Statistic:
        sides = self.reference, self.current
        # Bands take three times as long: they are made where the buckets alone do not do.
        if not any("band" in vars(side) for side in sides):
            found = _distance_by_buckets(*sides)
            if found is not None:
                return numeric.ks_within(found, *map(self.total, sides))
        return numeric.ks(self.reference.band, self.current.band)

    def _wasserstein(self) -> Statistic:
        pair = self._moments()
        shift = pair.current.mean - pair.reference.mean
        return numeric.wasserstein(
            self.bands, unit=self.unit, mean_shift=(shift, pair.mean_error), scale=self.scale
        )

    def _moments(self) -> MomentsPair:
        a, b = self.reference.numeric, self.current.numeric
        assert a is not None
        assert b is not None
        infinite = sum(side.negative_infinity + side.positive_infinity for side in (a, b))
        return MomentsPair(a.get_moments(), b.get_moments(), infinite)

    def _scale(self) -> float | None:
        assert self.reference.numeric is not None
        deviation = self.reference.numeric.get_moments().std
        return numeric.spread_of(self.reference.band, deviation)

    def _cells(self) -> Cells:
        make = self._categories if self.kind == "categorical" else self._deciles
        return self._keep("cells", make)

    def _deciles(self) -> Cells:
        sides = (self.reference, self.current)
        bands: list[Band] = [side.band for side in sides]
        histograms = [side.numeric.histogram for side in sides if side.numeric is not None]
        whole = all(self.exact_numbers(side) and side.kind is not Kind.FLOAT for side in sides)
        return decile_cells(
            *bands,
            coarseness=max((h.coarseness for h in histograms if h is not None), default=0),
            whole=whole,
        )

    def _categories(self) -> Cells:
        assert self.tallies is not None
        return all_cells(self.tallies)

    def _two_valued(self) -> TwoValued | None:
        if not (self.total(self.reference) and self.total(self.current)):
            return None
        if self.kind == "numeric":
            return two_numbers(self.reference, self.current)
        tallies = self.tallies if self.kind == "categorical" else None
        return None if tallies is None else two_categories(tallies)

    def _tallies(self) -> Tallies | None:
        tallies: list[Tally] = []
        for side in (self.reference, self.current):
            summary = side.state.summary
            if summary is None:
                tallies.append(Tally.of({}, 0))
                continue
            assert isinstance(summary, TextSummary | NumericSummary)
            tally = Tally.of_summary(summary)
            if tally is None:
                return None
            tallies.append(tally.named(_BOOLEANS) if side.kind is Kind.BOOLEAN else tally)
        return Tallies.of(*tallies)

    def _keep(self, name: str, make: Callable[[], _T]) -> _T:
        kept = self._kept
        if name not in kept:
            kept[name] = make()
        return cast(_T, kept[name])


def ks_value(reference: ColumnProfile, current: ColumnProfile) -> float:
    """The value of `ks` of two columns of numbers with values each, without interval and test."""
    found = _distance_by_buckets(reference, current)
    if found is None:
        found = numeric.distance_of_bands(reference.band, current.band)
    return numeric.clipped(found)[0]


def _distance_by_buckets(
    reference: ColumnProfile, current: ColumnProfile
) -> tuple[float, float, float, float] | None:
    """The distance where histograms alone give it."""
    if reference.state.column.redacted or current.state.column.redacted:
        return None
    a, b = reference.numeric, current.numeric
    return None if a is None or b is None else _distance_of_buckets(a, b)


def _distance_of_buckets(
    a: NumericSummary, b: NumericSummary
) -> tuple[float, float, float, float] | None:
    if not (a.histogram and b.histogram and a.quantiles and b.quantiles):
        return None
    return bucket_distance(
        (a.histogram, b.histogram),
        (a.quantiles, b.quantiles),
        (_singles(a), _singles(b)),
        (_extremes(a), _extremes(b)),
        (a.total, b.total),
    )


def _singles(side: NumericSummary) -> tuple[int, int, int]:
    return side.negative_infinity, side.zeros, side.positive_infinity


def _extremes(side: NumericSummary) -> tuple[float, float]:
    low, high = side.minimum, side.maximum
    assert low is not None
    assert high is not None
    return low, high
