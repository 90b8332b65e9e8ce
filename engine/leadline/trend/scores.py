"""How unusual an effect is, given the effects of ordinary windows: one scale for all series.

A score is ``-log10`` of the probability that an ordinary window has at least this effect. Up to the
90 % quantile of the past that is a rank. Beyond it, ranks end after one over their number, and the
largest of one series would look like the largest of any other; so the upper part of a lognormal
law goes on from there, placed by two quantiles of the past (the median and the 90 % quantile),
which a few anomalies among the past windows do not move.

`compare.history.history_p` asks another question. It is a p-value, which has to hold for one window
whatever the past's law is, and so never calls an effect extraordinary that one of the past had:
with 3 anomalies in 100 past windows a fourth gets .04 there and 2e-5 here. Scores put windows in
order, and the past's own scores say from which on one alarms. As p-values these are true at .05 %
in .13 % of the cases with 20 windows and in .01 % with 50, lognormal effects; at 1 % in 1.9 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..compare.history import MINIMUM_WINDOWS

Floats = NDArray[np.float64]

UPPER = 0.9
UPPER_DEVIATE = 1.2815515655446004  # of the standard normal law at UPPER
# Effects under three quarters of their fixed threshold are never alarms, however unusual: of a
# column whose effects were nearly all 0, one of .60 would else outrank a day of cancelled flights
# (the rows of 29 November 2013, which should be found, are at .98).
NEGLIGIBLE = 0.75
# Added to every effect before its logarithm, in units of its threshold: effects far under their
# threshold are all alike.
FLOOR = 0.1
# The least spread of logarithms: a series that never moved is not infinitely surprised.
LEAST_SPREAD = 0.2
# Degrees of freedom of Student's law in place of the normal: real effects have heavier tails.
FREEDOM = 8


@dataclass(frozen=True, slots=True)
class Law:
    """What the past of one series says of new effects.

    Parameters
    ----------
    known
        Its effects over their threshold, ascending.
    """

    known: Floats

    @classmethod
    def of(cls, past: Floats) -> Law:
        """The law of effects of which some may be NaN."""
        return cls(np.sort(past[np.isfinite(past)]))

    def scores(self, effects: Floats) -> Floats:
        """Scores of new windows; NaN for NaN, and throughout if fewer than 20 effects are known."""
        count = len(self.known)
        if count < MINIMUM_WINDOWS:
            return np.full(len(effects), np.nan)
        median, upper = (self.known[_place(q, count)] for q in (0.5, UPPER))
        larger = count - np.searchsorted(self.known, effects, side="left")
        return _scores(effects, median, upper, (1 + larger) / (count + 1))


@dataclass(frozen=True, slots=True)
class Laws:
    """The laws of many series, for one new window at a time.

    Parameters
    ----------
    known
        Effects of each, ascending.
    median, upper
        Their quantiles that place the law; NaN where there are too few.
    """

    known: tuple[Floats, ...]
    median: Floats
    upper: Floats

    @classmethod
    def of(cls, past: Floats) -> Laws:
        """The laws of series that are rows; some effects may be NaN."""
        known = tuple(Law.of(effects).known for effects in past)
        enough = [len(own) >= MINIMUM_WINDOWS for own in known]
        median, upper = (
            np.array(
                [
                    own[_place(q, len(own))] if some else math.nan
                    for own, some in zip(known, enough, strict=True)
                ]
            )
            for q in (0.5, UPPER)
        )
        return cls(known, median, upper)

    def scores(self, effects: Floats) -> Floats:
        """Scores of one new window, an effect a series; as those of `Law`."""
        rank = np.array(
            [
                (1 + len(own) - np.searchsorted(own, effect, side="left")) / (len(own) + 1)
                for own, effect in zip(self.known, effects, strict=True)
            ]
        )
        result = _scores(effects, self.median, self.upper, rank)
        result[np.isnan(self.upper)] = np.nan
        return result


def leave_one_out(past: Floats) -> Floats:
    """Scores of the past windows themselves, each given the others.

    >>> leave_one_out(np.array([*[0.5] * 20, 5.0])).round(1).tolist()[-3:]
    [0.0, 0.0, 6.0]
    """
    result = np.full(len(past), np.nan)
    places = np.flatnonzero(np.isfinite(past))
    count = len(places) - 1
    if count < MINIMUM_WINDOWS - 1:
        return result
    order = places[np.argsort(past[places], kind="stable")]
    ordered = past[order]
    ranks = np.arange(count + 1)
    median, upper = (ordered[_place(q, count) + (ranks <= _place(q, count))] for q in (0.5, UPPER))
    # Others at least as large: itself is not counted.
    larger = count - np.searchsorted(ordered, ordered, side="left")
    result[order] = _scores(ordered, median, upper, (1 + larger) / (count + 1))
    return result


def leave_out(past: Floats, block: int) -> Floats:
    """The same in blocks of so many windows in a row: each given those beyond its neighbours.

    Levels that last for hours make windows of one day alike, and beside its like nothing is
    unusual: given all others, the reference's windows would look more ordinary than new ones do.
    A year of hours whose levels have a memory of .95 from hour to hour had 2.0 times the events of
    its budget (reference of 8 weeks, 6 years), so it has 1.4.
    """
    if block <= 1:
        return leave_one_out(past)
    result = np.full(len(past), np.nan)
    order = np.argsort(past, kind="stable")[: int(np.isfinite(past).sum())]
    ordered = past[order]
    for first in range(0, len(past), block):
        others = ordered[(order < first - block) | (order >= first + 2 * block)]
        result[first : first + block] = Law(others).scores(past[first : first + block])
    return result


def _place(share: float, count: int) -> int:
    return max(math.ceil(share * count) - 1, 0)


def _scores(
    effects: Floats, median: Floats | np.float64, upper: Floats | np.float64, rank: Floats
) -> Floats:
    """By rank up to ``upper``, beyond by the law through both quantiles."""
    from ..compare.significance import special

    middle, high = np.log(median + FLOOR), np.log(upper + FLOOR)
    spread = np.maximum((high - middle) / UPPER_DEVIATE, LEAST_SPREAD)
    with np.errstate(invalid="ignore"):
        deviate = (np.log(effects + FLOOR) - high) / spread + UPPER_DEVIATE
        beyond = special().stdtr(FREEDOM, -deviate)
        probability = np.where(effects > upper, beyond, np.maximum(rank, 1 - UPPER))
    result: Floats = np.abs(np.log10(np.maximum(probability, 1e-300)))
    result[np.isnan(effects)] = np.nan
    return result
