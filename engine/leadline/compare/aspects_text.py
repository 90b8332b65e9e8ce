"""Free text judged by what it looks like: lengths, empty texts, kinds of characters."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..profile import ColumnProfile
from ..sketch.text import CLASSES
from .judge import shares_evidence
from .shares import Occurrences
from .significance import fisher_p, kolmogorov_distance, kolmogorov_p
from .statistic import Statistic, share_margin
from .thresholds import Thresholds
from .verdict import Evidence, Judgement, not_comparable
from .words import percent

Floats = NDArray[np.float64]
Counts = tuple[NDArray[np.int64], ...]
Told = tuple[Evidence | Judgement, Callable[[], str]]

_OCTAVES, _BUCKETS, _ONE_PAGE = 64, 256, 1_023
# The least length of every bucket; the first is that of empty texts.
_LEAST = np.concatenate(
    [[0.0], (2.0 ** np.arange(_OCTAVES)[:, None] * (1 + np.arange(_BUCKETS) / _BUCKETS)).ravel()]
)


def form_of(column: ColumnProfile) -> Counts | None:
    """Texts by length (empty ones first, then in buckets), and characters by kind."""
    if column.text is None:
        return None
    form = column.text.get_form()
    histogram = form.lengths.histogram
    lengths = np.zeros(1 + _OCTAVES * _BUCKETS, dtype=np.int64)
    lengths[0] = form.empty
    for page, counts in zip(histogram.pages.tolist(), histogram.counts, strict=True):
        first = 1 + (page - _ONE_PAGE) * _BUCKETS
        lengths[first : first + _BUCKETS] = counts
    return lengths, form.classes.counts


def lengths_evidence(a: Counts, b: Counts, thresholds: Thresholds) -> Told:
    """Distance of the lengths by ks, each 512 code points and more counted with its bucket's."""
    n, m = (int(side[0].sum()) for side in (a, b))
    distance = float(np.abs(np.cumsum(a[0]) / n - np.cumsum(b[0]) / m).max())
    margin = share_margin(n) + share_margin(m)
    effect = Statistic(
        value=distance,
        lower=distance,
        upper=distance,
        ci_lower=max(0.0, distance - margin),
        ci_upper=min(1.0, distance + margin),
        name="ks",
        p_value=kolmogorov_p(distance, n, m),
    )
    found = kolmogorov_distance(thresholds.significance, n, m)
    evidence = Evidence(effect, thresholds.ks, "ks", "the lengths", detectable=lambda: found)

    def words() -> str:
        means = [float(side[1].sum()) / rows for side, rows in ((a, n), (b, m))]
        return f"mean length {means[0]:.3g} to {means[1]:.3g}"

    return evidence, words


def empty_evidence(a: Counts, b: Counts, thresholds: Thresholds) -> Told:
    """The share of empty texts, as any two shares."""
    before, now = (Occurrences.exact(int(side[0][0]), int(side[0].sum())) for side in (a, b))
    evidence = shares_evidence(
        before, now, thresholds, subject="the share of empty texts", nothing="no text is empty"
    )
    return evidence, lambda: _told("share of empty texts", before.share, now.share)


def characters_evidence(a: Counts, b: Counts, thresholds: Thresholds) -> Told:
    """Total variation of the kinds of characters.

    Characters of one text are no independent draws, so each kind's share is tested as that of as
    many rows as its variance stands for at most (`effective_rows`), by Fisher's test; the p-value
    is Bonferroni's over the kinds that occur.
    """
    totals = [int(side[1].sum()) for side in (a, b)]
    if not all(totals):
        return not_comparable("all texts of a side are empty"), str
    shares = [side[1] / total for side, total in zip((a, b), totals, strict=True)]
    pooled = (a[1] + b[1]) / sum(totals)
    p, chance = 1.0, 0.0
    kinds = np.flatnonzero(pooled).tolist()
    for kind in kinds:
        rows = [max(1, math.floor(effective_rows(side[0], float(pooled[kind])))) for side in (a, b)]
        counts = [round(float(own[kind]) * held) for own, held in zip(shares, rows, strict=True)]
        p = min(p, fisher_p(counts[0], rows[0], counts[1], rows[1]))
        spread = pooled[kind] * (1 - pooled[kind]) * (1 / rows[0] + 1 / rows[1])
        chance += math.sqrt(float(spread) / (2 * math.pi))
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    limit = thresholds.total_variation
    effect = Statistic(
        distance,
        distance,
        distance,
        name="character_change",
        p_value=min(1.0, p * len(kinds)),
        null_value=chance,
    )
    evidence = Evidence(
        effect, limit, "fisher", "the kinds of characters", coarse=chance > limit / 2
    )

    def words() -> str:
        kind = int(np.abs(shares[0] - shares[1]).argmax())
        name = CLASSES[kind].replace("_", " ")
        return _told(f"share of {name} characters", float(shares[0][kind]), float(shares[1][kind]))

    return evidence, words


def effective_rows(lengths: NDArray[np.int64], share: float) -> float:
    """Independent rows whose share varies as much as that of the characters of one kind can.

    Of ``n`` texts of lengths ``L`` the share's variance is at most that of texts which hold nothing
    but this kind or none of it, the longest ones being those that do: then ``E (X - share L)**2``
    is ``(1 - 2 share) E(L**2; longest) + share**2 E L**2``, over ``n (E L)**2``. The share of texts
    of one length varies as that of ``n`` rows.

    >>> lengths = np.zeros(len(_LEAST), dtype=np.int64)
    >>> lengths[1 + 3 * 256] = 1_000  # of 8 code points
    >>> round(effective_rows(lengths, 0.3))
    1000
    """
    share = min(share, 1 - share)
    held = np.flatnonzero(lengths)[::-1]
    if share <= 0:
        return float(lengths[1:].sum())
    length, count = _LEAST[held], lengths[held].astype(np.float64)
    characters, squares = length * count, length * length * count
    total = float(characters.sum())
    reached = np.minimum(np.cumsum(characters), share * total)
    longest = float((np.diff(reached, prepend=0.0) * length).sum())
    most = (1 - 2 * share) * longest + share * share * float(squares.sum())
    return share * (1 - share) * total * total / most


def _told(what: str, before: float, now: float) -> str:
    return f"{what} {percent(before)} to {percent(now)}"
