"""Which effect of a column is judged, against which threshold, with which test.

Text and booleans are categories; integers, floats and dates are numbers. Both are two-valued if
both sides together hold at most two values (a 0/1 label is one, whatever its type) or if the
reference is constant, which is judged as "that value" against "any other".
"""

from __future__ import annotations

import math
from dataclasses import replace

from ..profile import ColumnProfile
from ..schema import Kind, Role
from .categorical import all_cells, excess_variation, heavy_cells
from .cells import Cells
from .contingency import chi2_p, detectable_variation, possible_variation, tested_tables
from .measures import Measures
from .shares import Occurrences, cohens_h, detectable_h, ratio_of
from .significance import kolmogorov_distance
from .statistic import Statistic
from .tally import Tallies
from .thresholds import UNJUDGED_ROLES, Thresholds
from .two_valued import two_categories
from .verdict import Evidence, Judgement, not_comparable

# Width of ks, over the smallest significant distance, from which the means are tested too.
BLURRED = 0.1
_DEFAULTS = {"numeric": "ks", "categorical": "total_variation"}


def value_evidence(measures: Measures, role: Role, thresholds: Thresholds) -> Evidence | Judgement:
    """What is judged of the values, or the reason why nothing is."""
    reason = refusal(measures, role, thresholds)
    if reason:
        return not_comparable(reason)
    pair = measures.two_valued
    if pair is not None:
        return shares_evidence(pair.reference, pair.current, thresholds, role=role)
    chosen = thresholds.statistic
    if chosen in measures.names and chosen != _DEFAULTS[measures.kind]:
        return _chosen_evidence(measures, chosen, role, thresholds)
    if measures.kind == "categorical":
        assert measures.tallies is not None
        limit = thresholds.of_effect("total_variation", role)
        return categories_evidence(measures.tallies, limit, thresholds.significance)
    return _distance_evidence(measures, role, thresholds)


def _distance_evidence(measures: Measures, role: Role, thresholds: Thresholds) -> Evidence:
    """What is judged of numbers: ks, with its own test and, where that sees too little, of means.

    A test of ks takes the certain end of the interval. Where buckets are heavy the interval may be
    wider than all that rows so many can tell apart; means are known there all the same.
    """
    effect, test = measures.get("ks"), "ks"
    n, m = (measures.total(side) for side in (measures.reference, measures.current))
    level = thresholds.significance
    detectable = kolmogorov_distance(level, n, m)
    if effect.upper - effect.lower > BLURRED * detectable:
        means = measures.get("welch_t").p_value
        if means is not None and effect.p_value is not None:
            # Two tests: twice the smaller p-value, as Bonferroni's.
            effect = replace(effect, p_value=min(1.0, 2 * min(effect.p_value, means)))
            test, detectable = "ks or means", kolmogorov_distance(level / 2, n, m)
    limit = thresholds.of_effect("ks", role)
    return Evidence(effect, limit, test, detectable=lambda: detectable)


def value_effect(measures: Measures, role: Role, thresholds: Thresholds) -> Statistic | None:
    """The effect of `value_evidence` without its test, or None: half the work for categories."""
    if refusal(measures, role, thresholds):
        return None
    tallies = measures.tallies if measures.kind == "categorical" else None
    if tallies is not None and not thresholds.statistic and two_categories(tallies) is None:
        limit = thresholds.of_effect("total_variation", role)
        return excess_variation(heavy_cells(tallies, limit=limit))
    found = value_evidence(measures, role, thresholds)
    return found.effect if isinstance(found, Evidence) else None


def _chosen_evidence(
    measures: Measures, name: str, role: Role, thresholds: Thresholds
) -> Evidence | Judgement:
    """What is judged where the user chose another effect; the test stays that of the kind."""
    limit = thresholds.of_effect(name, role)
    effect = measures.get("wasserstein_scaled" if name == "wasserstein" else name)
    if math.isnan(effect.value):
        return not_comparable(effect.note)
    if math.isinf(effect.value) and measures.kind == "numeric":
        # One infinite value must not silence all others: ks counts it as the one row that it is.
        return _distance_evidence(measures, role, thresholds)
    expected = effect.null_value
    if expected is not None and expected > limit / 2:
        return not_comparable(
            f"too few rows for {effect.cells} cells: without any change {name} would be "
            f"{expected:.3g}, over half the threshold {limit:.3g}"
        )
    test = "chi2" if measures.kind == "categorical" else "ks"
    return Evidence(
        replace(effect, p_value=measures.get(test).p_value),
        limit,
        test,
        watch=thresholds.possible_psi if name == "psi" else None,
    )


def missing_evidence(
    measures: Measures, role: Role, thresholds: Thresholds
) -> Evidence | Judgement:
    """What is judged of the share of missing rows (null or NaN)."""
    if role is Role.SEGMENT:
        return not_comparable("segment columns are not judged")
    a, b = missing_of(measures.reference), missing_of(measures.current)
    for label, side in (("reference", a), ("current profile", b)):
        if side.rows < thresholds.minimum_rows:
            return not_comparable(_too_few("rows", side.rows, label, thresholds))
    return shares_evidence(
        a,
        b,
        thresholds,
        role=role,
        subject="the share of missing rows",
        nothing="no row is missing on either side",
    )


def missing_of(side: ColumnProfile) -> Occurrences:
    """Rows that are null or NaN, among all rows."""
    return Occurrences.exact(side.nulls + side.nan, side.rows)


def tallies_evidence(both: Tallies, thresholds: Thresholds, *, subject: str) -> Evidence:
    """What is judged of counted values that are no column of their own."""
    pair = two_categories(both)
    if pair is not None:
        return shares_evidence(pair.reference, pair.current, thresholds, subject=subject)
    limit = thresholds.total_variation
    return replace(categories_evidence(both, limit, thresholds.significance), subject=subject)


def refusal(measures: Measures, role: Role, thresholds: Thresholds) -> str:
    """Why the values are not judged; empty if they are."""
    if role in UNJUDGED_ROLES:
        return f"columns of role {role.value} are not judged by values"
    if measures.obstacle:
        return measures.obstacle
    for label, side in (("reference", measures.reference), ("current profile", measures.current)):
        rows = measures.total(side)
        if rows == 0:
            return f"all rows of the {label} are missing" if side.rows else f"the {label} is empty"
        if rows < thresholds.minimum_rows:
            return _too_few("values", rows, label, thresholds)
    if measures.kind == "other":
        return f"{measures.reference.kind.value} columns are not judged by values"
    if measures.kind == "categorical" and measures.reference.kind is Kind.TEXT:
        share = measures.reference.distinct.value / measures.total(measures.reference)
        if share > thresholds.distinct_share:
            return f"{share:.0%} of the reference's values are distinct: an id or free text"
    return ""


def _too_few(what: str, rows: int, label: str, thresholds: Thresholds) -> str:
    counted = what if rows != 1 else what.removesuffix("s")
    return f"{rows} {counted} in the {label}, under {thresholds.minimum_rows}"


def shares_evidence(
    reference: Occurrences,
    current: Occurrences,
    thresholds: Thresholds,
    *,
    role: Role = Role.FEATURE,
    subject: str = "",
    nothing: str = "all values on both sides are one and the same",
) -> Evidence:
    """What is judged of two shares; ``nothing`` is said where the event never occurred."""
    effect = cohens_h(reference, current)
    return Evidence(
        effect,
        thresholds.of_effect("cohens_h", role),
        effect.note,
        subject=subject,
        ratio=ratio_of(reference, current),
        detectable=lambda: detectable_h(reference, current, thresholds.significance),
        nothing=nothing,
    )


def categories_evidence(both: Tallies, limit: float, significance: float) -> Evidence:
    """What is judged of three and more categories; ``limit`` is the threshold of the effect."""
    return cells_evidence(heavy_cells(both, limit=limit), all_cells(both), limit, significance)


def cells_evidence(heavy: Cells, values: Cells, limit: float, significance: float) -> Evidence:
    """What is judged of rows in cells: the effect on the ``heavy`` ones, the test on all."""
    effect = excess_variation(heavy)
    tables = tested_tables(values)
    expected = effect.null_value
    assert expected is not None
    return Evidence(
        replace(effect, p_value=chi2_p(tables)),
        limit,
        "chi2",
        detectable=lambda: max(
            0.0,
            detectable_variation(tables, effect.value + expected, significance) - expected,
        ),
        coarse=expected > limit / 2 or possible_variation(tables) >= limit,
    )
