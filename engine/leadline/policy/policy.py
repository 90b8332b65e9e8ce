"""A policy: settings, rules by table, type, role, column and segment, and thresholds of drift."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..compare.thresholds import Limits, Thresholds
from ..errors import InputError, PolicyError
from ..profile import ColumnProfile
from ..profile.cells import SegmentValue
from ..schema import Kind
from .rules import RULES, Bound, Requirement, kind_of_bound, quantile_of
from .values import refuse

# Groups of kinds that a section of types may name, as thresholds of drift do.
GROUPS = {
    "numeric": frozenset({Kind.INTEGER, Kind.FLOAT, Kind.DATE}),
    "categorical": frozenset({Kind.TEXT, Kind.BOOLEAN}),
}
# Rules that state a fact; all others bound a figure.
FACTS = frozenset({"type", "required", "forbidden", "closed"})
VERSION = 1
DRIFT_SHARE = "drift_share"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 80  # characters of a name in a message

Drift = Mapping[str, Any] | bool | None


class Severity(StrEnum):
    """How much a violation matters: only an error fails a check, unless it is asked otherwise."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all rules of a section; None is inherited.

    Parameters
    ----------
    severity
        Of the section's own rules.
    owner, runbook
        Who answers for the column, and where to read what to do; printed with a violation.
    minimum_rows
        Rows under which figures prove nothing; rules on single values and on the columns
        themselves hold in any case.
    """

    severity: Severity | None = None
    owner: str | None = None
    runbook: str | None = None
    minimum_rows: int | None = None

    def over(self, base: Settings) -> Settings:
        """These settings, with what is missing taken from ``base``."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(base, **{name: value for name, value in own.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as written.

    Parameters
    ----------
    key
        Its name in the file (`rules.RULES` and `FACTS`).
    requirement
        What must hold; None switches off an inherited rule.
    place
        Where it stands: ``[columns.age] mean``.
    warning
        Whether it stands in the section's part of warnings.
    comment
        Printed above it.
    """

    key: str
    requirement: Requirement | None
    place: str
    warning: bool = False
    comment: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the file: rules with their settings.

    Parameters
    ----------
    path
        ``("table",)``, ``("defaults",)``, or ``types``, ``roles`` or ``columns`` with a name.
    settings, rules
        See there.
    drift
        Thresholds by name; False where drift is not judged.
    comment, hints
        Lines printed above the section, and lines to uncomment at its end.
    """

    path: tuple[str, ...]
    settings: Settings = field(default_factory=Settings)
    rules: tuple[Rule, ...] = ()
    drift: Drift = None
    comment: str = field(default="", compare=False)
    hints: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """Rules of the rows that share values of segment columns."""

    where: Mapping[str, SegmentValue]
    sections: tuple[Section, ...]

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.where.items())


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule with the settings that hold where it is applied.

    Parameters
    ----------
    rule, requirement
        The rule, and what it requires.
    severity, owner, runbook, minimum_rows
        See `Settings`.
    named
        Whether the column, or its role, was meant by name: then a figure that its type does not
        have is a violation.
    """

    rule: Rule
    requirement: Requirement
    severity: Severity
    owner: str
    runbook: str
    minimum_rows: int
    named: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    r"""What must hold of a profile; read from a TOML file, or inferred from a reference.

    Parameters
    ----------
    settings
        What holds for all sections that do not say otherwise.
    sections
        The sections in the order of the file.
    drift
        Thresholds of all columns by name, ``drift_share`` among them; False where drift is not
        judged.
    segments
        Rules of single segments.
    comment, hints, source
        Lines printed at the top, lines to uncomment among the thresholds, and the file's path.

    Examples
    --------
    >>> import leadline as ll
    >>> policy = Policy.parse("version = 1\n[columns.age]\nminimum = 0\n")
    >>> ll.check(ll.profile({"age": [31, -4]}), policy).violations[0].reason
    'smallest value is -4, under 0'
    """

    settings: Settings = field(default_factory=Settings)
    sections: tuple[Section, ...] = ()
    drift: Drift = None
    segments: tuple[Segment, ...] = ()
    comment: str = field(default="", compare=False)
    hints: tuple[str, ...] = field(default=(), compare=False)
    source: str = field(default="policy", compare=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Policy:
        """Read a policy file.

        Raises
        ------
        PolicyError
            If it is not TOML, or anything in it is unknown, malformed or contradictory; the message
            names the place.
        InputError
            If there is no such file.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PolicyError(f"{path}: not UTF-8 at byte {error.start}") from error
        return cls.parse(text, source=str(path))

    @classmethod
    def parse(cls, text: str, *, source: str = "policy") -> Policy:
        """Read a policy from the text of a file; raises as `read` does."""
        from .reading import parse

        return parse(text, source)

    def to_toml(self) -> str:
        """The policy as the text of a file, with its comments."""
        from .writing import policy_text

        return policy_text(self)

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write a policy file, wholly or not at all.

        Parameters
        ----------
        path
            Where to.
        force
            Replace what is there; else nothing is ever overwritten.

        Raises
        ------
        InputError
            If there is a file already, or none can be made there.
        """
        from .writing import write_policy

        write_policy(self, path, force=force)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules as written, those of segments last."""
        parts = (self.sections, *(segment.sections for segment in self.segments))
        return tuple(rule for part in parts for section in part for rule in section.rules)

    @property
    def thresholds(self) -> Limits:
        """Thresholds of drift by column, type and role, as `leadline.compare` takes them."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for section in self.sections:
            own = thresholds_of(section.drift)
            if own and len(section.path) == 2:
                found.setdefault(section.path[0], {})[section.path[1]] = own
        given = thresholds_of(self.drift)
        share = given.pop(DRIFT_SHARE, 0.0)
        return Limits(
            Thresholds.of(given),
            found.get("types", {}),
            found.get("roles", {}),
            found.get("columns", {}),
            drift_share=share,
        )

    def judges_drift(self, near: Iterable[Section]) -> bool:
        """Whether drift of a column counts: the nearest section that says so decides."""
        judged = self.drift is not False
        for section in near:
            if section.drift is not None:
                judged = section.drift is not False
        return judged

    def drift_severity(self, near: Iterable[Section]) -> tuple[Severity, str]:
        """How much drift of a column matters, and where its nearest thresholds stand."""
        severity, place = self.settings.severity or Severity.ERROR, "[drift]"
        for path, drift in [((), self.drift), *((s.path, s.drift) for s in near)]:
            if isinstance(drift, Mapping):
                place = place_of((*path, "drift"))
                severity = Severity(drift.get("severity", severity))
        return severity, place

    def settings_of(self, near: Iterable[Section]) -> Settings:
        """The settings where these sections meet, the nearest last; severity is each one's own."""
        settings = self.settings
        for section in near:
            settings = replace(section.settings, severity=None).over(settings)
        return settings

    def rules_of(self, near: Sequence[Section]) -> tuple[Applied, ...]:
        """The rules that hold where these sections meet: of every key, the nearest section's.

        Raises
        ------
        PolicyError
            If rules of two sections contradict each other.
        """
        chosen: dict[tuple[bool, str], list[tuple[Rule, Section]]] = {}
        for section in near:
            own: dict[tuple[bool, str], list[tuple[Rule, Section]]] = {}
            for rule in section.rules:
                own.setdefault((rule.warning, rule.key), []).append((rule, section))
            chosen |= own
        settings = self.settings_of(near)
        found = tuple(
            self.applied(rule, section, settings, named=section.path[0] in ("columns", "roles"))
            for rules in chosen.values()
            for rule, section in rules
            if rule.requirement is not None
        )
        if len(near) > 1:  # what one section says was held against itself when it was read
            require_consistent(each.rule for each in found)
        return found

    def applied(
        self, rule: Rule, section: Section, settings: Settings, *, named: bool = True
    ) -> Applied:
        """A rule of a section under the settings that hold there."""
        assert rule.requirement is not None
        own = section.settings.severity or self.settings.severity or Severity.ERROR
        return Applied(
            rule,
            rule.requirement,
            Severity.WARNING if rule.warning else own,
            settings.owner or "",
            settings.runbook or "",
            settings.minimum_rows or 0,
            named,
        )


def thresholds_of(drift: Drift) -> dict[str, Any]:
    """The thresholds among what is said of drift."""
    given = dict(drift) if isinstance(drift, Mapping) else {}
    given.pop("severity", None)
    return {name: tuple(x) if isinstance(x, list) else x for name, x in given.items()}


def place_of(path: Sequence[str], within: str = "") -> str:
    """How a section is called in messages.

    >>> place_of(("columns", "a.b"))
    '[columns."a.b"]'
    """
    short = (name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..." for name in path)
    names = [name if _BARE.fullmatch(name) else f'"{name}"' for name in short]
    return f"{within}[{'.'.join(names)}]"


class Sections:
    """Sections by their paths, for many columns."""

    def __init__(self, sections: Iterable[Section]) -> None:
        self._known = {section.path: section for section in sections}

    def near(self, column: ColumnProfile) -> list[Section]:
        """The sections that a column falls under, the nearest last."""
        groups = (group for group, kinds in GROUPS.items() if column.kind in kinds)
        paths = (
            ("defaults",),
            *(("types", group) for group in groups),
            ("types", column.kind.value),
            ("roles", column.role),
            ("columns", column.name),
        )
        return [self._known[path] for path in paths if path in self._known]


def require_consistent(rules: Iterable[Rule]) -> None:
    """Refuse rules of one column that no values can satisfy together; errors and warnings apart.

    Raises
    ------
    PolicyError
        Naming both places.
    """
    parts: dict[bool, list[Rule]] = {False: [], True: []}
    for rule in rules:
        if rule.requirement is not None:
            parts[rule.warning].append(rule)
    for part in parts.values():
        flags = {r.key: r for r in part if r.key in ("required", "forbidden")}
        if len(flags) == 2 and all(
            r.requirement and r.requirement.argument is True for r in flags.values()
        ):
            place, other = flags["forbidden"].place, flags["required"].place
            raise refuse(place, f"a column cannot be required and forbidden ({other})")
        _require_ascending(part)


def _require_ascending(rules: Iterable[Rule]) -> None:
    """Refuse a lower bound above an upper bound of the same, or of a higher rank."""
    ends: list[tuple[float, bool, Bound, Rule]] = []
    for rule in rules:
        assert rule.requirement is not None
        at = _ranks(rule)
        if at is not None:
            bounds = zip(
                at, (rule.requirement.low, rule.requirement.high), (False, True), strict=True
            )
            ends += [
                (rank, upper, bound, rule) for rank, bound, upper in bounds if bound is not None
            ]
    highest: dict[type, tuple[Bound, Rule]] = {}
    for _, upper, bound, rule in sorted(ends, key=lambda end: end[:2]):
        assert bound is not None
        kind = kind_of_bound(bound)
        low, other = highest.get(kind, (None, rule))
        if low is not None and upper and low > bound:  # type: ignore[operator]
            raise refuse(rule.place, f"at most {bound} contradicts {other.place}, at least {low}")
        if not upper and (low is None or low < bound):  # type: ignore[operator]
            highest[kind] = bound, rule


def _ranks(rule: Rule) -> tuple[float, float] | None:
    """Ranks of the values that a rule's lower and upper bound hold; None if of no value.

    What is at least the lower bound of all values, of their mean or of a quantile stands at that
    rank and above it.
    """
    if rule.key == "quantiles":
        assert rule.requirement is not None
        rank = quantile_of(rule.requirement.argument)
        return rank, rank
    return {"minimum": (0.0, 0.0), "maximum": (1.0, 1.0), "mean": (1.0, 0.0)}.get(rule.key)


def known_kinds() -> tuple[str, ...]:
    """Names that a section of types may have."""
    return (*GROUPS, *(kind.value for kind in Kind))


def kinds_of(name: str) -> frozenset[Kind]:
    """The kinds that such a name stands for."""
    return GROUPS.get(name) or frozenset({Kind(name)})


def definition_fits(key: str, kinds: frozenset[Kind]) -> bool:
    """Whether any of these kinds has the figure of a rule."""
    return key in FACTS or bool(RULES[key].kinds & kinds)
