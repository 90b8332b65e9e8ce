"""What `leadline check` prints: every violation with figure and bound, then what is undecided."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from ..policy import Check, Outcome, Severity, Status
from ..policy.rules import RULES
from .layout import Field, heading, line, note, wrapped
from .text import counted, titled

STATUS, NAME = 9, 16
MOST_UNDECIDED = 20
_JUDGED = {"drift": "values", "drift_missing": "missing share"}
STYLES = {Status.PASS: "bold green", Status.UNDECIDED: "bold yellow", Status.FAIL: "bold red"}


def check_report(
    result: Check, current: str, reference: str | None, *, width: int, failed: bool
) -> list[RenderableType]:
    """Print a check.

    Parameters
    ----------
    result
        The check.
    current, reference
        What was checked, and against what beside the policy.
    width
        Terminal cells.
    failed
        Whether it counts as failed, by what the caller was asked to fail on.
    """
    beside = f"reference {reference}" if reference else ""
    errors = [v for v in result.violations if v.severity is Severity.ERROR]
    warnings = [v for v in result.violations if v.severity is Severity.WARNING]
    counts = (
        (len(errors), "violation"),
        (len(warnings), "warning"),
        (len(result.undecided), "undecided rule"),
    )
    told = ", ".join(counted(amount, noun) for amount, noun in counts if amount)
    passed = f"{len(result.passed):,} passed"
    parts: list[RenderableType] = [
        heading(f"{current} against {result.policy}", beside),
        Text(f"{counted(result.rows, 'row')}; {told + ', ' if told else ''}{passed}"),
        _verdict(result, failed=failed),
    ]
    if result.comparison is None:
        parts.append(note("drift is not judged" + ("" if reference else " without a reference")))
    for title, style, group in (
        ("violation", "bold red", errors),
        ("warning", "yellow", warnings),
        ("undecided", "yellow", result.undecided[:MOST_UNDECIDED]),
    ):
        parts += _group(title, style, group, width)
    more = len(result.undecided) - MOST_UNDECIDED
    if more > 0:
        parts.append(note(f"and {more:,} more that are undecided (--json has them all)"))
    return parts


def _verdict(result: Check, *, failed: bool) -> Text:
    status = Status.FAIL if failed else result.verdict
    return Text.assemble("verdict ", (status.value, STYLES[status]))


def _group(title: str, style: str, outcomes: Sequence[Outcome], width: int) -> list[RenderableType]:
    parts: list[RenderableType] = [""] if outcomes else []
    place = width - STATUS - NAME - 2
    for each in outcomes:
        fields = [
            Field(title, STATUS, style=style),
            Field(_subject(each), NAME, style="bold"),
            Field(_place(each), place, style="dim"),
        ]
        parts += [line(fields), *wrapped(each.reason, width, indent=STATUS + 1)]
        contact = [
            f"{what}: {text}"
            for what, text in (("owner", each.owner), ("runbook", each.runbook))
            if text
        ]
        if contact:
            parts += wrapped("; ".join(contact), width, indent=STATUS + 1, style="dim")
    return parts


def _subject(outcome: Outcome) -> str:
    """The column, whose name may be empty, or the table."""
    of_column = outcome.rule in RULES or outcome.verdict or outcome.place.startswith("[columns.")
    return titled(outcome.column) if outcome.column or of_column else "(table)"


def _place(outcome: Outcome) -> str:
    """Where the rule stands; of drift also what drifted, since one place judges several things."""
    place = outcome.place
    if outcome.verdict:
        place = f"{_JUDGED.get(outcome.rule) or outcome.rule.removeprefix('drift_')} by {place}"
    return f"{place} in {outcome.segment}" if outcome.segment else place
