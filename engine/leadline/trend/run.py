"""`trend`: windows over time against a baseline, alarms within a budget, events in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from numbers import Integral
from typing import Any

from ..compare.thresholds import Limits, Thresholds
from ..errors import InputError
from ..profile import Profile
from .baselines import BASELINES, REFERENCE, rolling_windows
from .budget import Budget
from .effects import require_statistics
from .following import Following, Options
from .looks import require_alpha
from .result import Trend
from .timeline import Calendar, calendar_of


def trend(
    reference: Profile,
    *current: Profile,
    baseline: str = REFERENCE,
    budget: str | None = None,
    statistics: Sequence[str] = (),
    columns: Sequence[str] = (),
    thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
    seasonal: bool = True,
    rolling: int | None = None,
    lag: int = 1,
    exclude_drift: bool = True,
    bridge: int = 0,
    open_alpha: float | None = None,
    until: datetime | None = None,
    labels: Sequence[str] = (),
) -> Trend:
    """Follow windows over time, and say which of them are unlike the others.

    Parameters
    ----------
    reference
        The profile to compare with. Alone, its own windows are followed, each against the others.
    current
        Profiles with windows, or one profile a window, in order. They must not overlap.
    baseline
        What every window is compared with: the fixed ``reference``, the ``previous`` window, or a
        ``rolling`` merge of the windows before it. The latter two are also compared with the fixed
        reference (`Trend.slow`), since a baseline that moves along does not see slow drift.
    budget
        False events that are acceptable, over all columns: ``1/month``, ``2/week``,
        ``1/50windows``. Default: one a week for windows of up to a day, one a quarter for windows
        of up to a week, else one a year.
    statistics
        Further figures to follow: ``mean``, ``std``, ``p95`` and other quantiles.
    columns
        Only these columns.
    thresholds
        Numbers that replace defaults (see `Thresholds`). They are the units of effects, and decide
        alone where the reference has no windows to learn from.
    seasonal
        Whether windows are compared with the reference's of the same hour of the week (else hour
        of the day), or day of the week, where it holds four of them.
    rolling, lag
        Windows of the rolling baseline (default: four weeks, at least 8), and how many windows
        back it ends.
    exclude_drift
        Whether windows in which a column alarms are left out of rolling baselines.
    bridge
        Quiet windows that may lie between two alarms of one event.
    open_alpha
        Where the last window is still open: the probability of ever calling it anything but `none`
        without a change, over all looks (see `look`). The budget counts closed windows only.
    until
        Time until which windows were due: missing ones are reported up to then.
    labels
        Names of reference and current profiles in messages, and of windows without a time.

    Raises
    ------
    InputError
        If an argument is of a wrong type or value, there are no windows or rows, or no column is
        common to both sides.
    ComparisonError
        If settings differ, window lengths are mixed, or windows are in two profiles.

    Examples
    --------
    >>> import leadline as ll
    >>> reference = ll.profile({"age": list(range(200))})
    >>> days = [ll.profile({"age": list(range(n, n + 200))}) for n in (0, 5, 100)]
    >>> [window.verdict.value for window in ll.trend(reference, *days).windows]
    ['none', 'none', 'drift']
    """
    _check(reference, current, baseline, labels)
    for name, value, least in (("rolling", rolling, 1), ("lag", lag, 1), ("bridge", bridge, 0)):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise InputError(f"{name} is {value!r}; it is a whole number from {least}")
    names = tuple(labels) or ("the reference", *_names_of(current))
    calendar = _calendar(reference, current, names)
    limits = Limits.given(thresholds)
    options = Options(
        baseline,
        Budget.usual(calendar) if budget is None else Budget.parse(budget),
        limits,
        require_statistics(statistics),
        seasonal,
        rolling or rolling_windows(calendar),
        lag,
        exclude_drift,
        bridge,
        None if open_alpha is None else require_alpha(open_alpha),
    )
    return Following.of(reference, current, names, calendar, options, columns, until).result()


def _check(
    reference: Profile, current: Sequence[Profile], baseline: str, labels: Sequence[str]
) -> None:
    for label, side in (("reference", reference), *(("snapshot", one) for one in current)):
        if not isinstance(side, Profile):
            raise InputError(f"the {label} is of type {type(side).__name__}; trend takes profiles")
    if baseline not in BASELINES:
        raise InputError(f"unknown baseline {baseline!r}; use one of {', '.join(BASELINES)}")
    if labels and len(labels) != 1 + len(current):
        raise InputError(
            f"there are {len(labels)} labels for {1 + len(current)} profiles; give one for each"
        )


def _names_of(current: Sequence[Profile]) -> list[str]:
    """Each profile by its only input, or by its place."""
    found = []
    for place, profile in enumerate(current, 1):
        inputs = {entry.name for entry in profile.lineage if not entry.name.startswith("<")}
        found.append(inputs.pop() if len(inputs) == 1 else f"snapshot {place}")
    counts = {name: found.count(name) for name in found}
    return [
        name if counts[name] == 1 else f"{name} ({place})" for place, name in enumerate(found, 1)
    ]


def _calendar(reference: Profile, current: Sequence[Profile], labels: Sequence[str]) -> Calendar:
    if not current:
        if reference.settings.every is None:
            raise InputError(
                f"{labels[0]} has no windows to follow; profile it with --time and --every, or "
                "give snapshots to compare with it"
            )
        return calendar_of([reference], labels)
    if reference.settings.every is None:
        return calendar_of(current, labels[1:])
    return calendar_of([reference, *current], labels)
