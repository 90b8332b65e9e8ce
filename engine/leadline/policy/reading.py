"""From the text of a policy file to a `Policy`; everything unknown or malformed is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from ..compare.thresholds import Limits, Thresholds
from ..errors import InputError, PolicyError
from ..schema import Kind, Role, type_named
from .policy import (
    DRIFT_SHARE,
    FACTS,
    VERSION,
    Drift,
    Policy,
    Rule,
    Section,
    Segment,
    Settings,
    Severity,
    definition_fits,
    kinds_of,
    known_kinds,
    place_of,
    require_consistent,
    thresholds_of,
)
from .rules import RULES, Requirement, bounds_of
from .values import (
    amount_of,
    flag_of,
    list_of,
    number_of,
    refuse,
    require_known,
    table_of,
    text_of,
    texts_of,
)

SETTINGS = ("severity", "owner", "runbook", "minimum_rows")
SECTIONS = ("table", "defaults", "types", "roles", "columns")
TABLE_RULES = ("rows", "row_ratio", "required", "forbidden", "closed")
MOST_PARTS = 100
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
WARNING, DRIFT = "warning", "drift"


def parse(text: str, source: str) -> Policy:
    """See `Policy.parse`; ``source`` is what messages call the file."""
    _require_short_keys(text, source)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{source} is not TOML: {error}") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, deep nesting
        raise PolicyError(f"{source} cannot be read: {type(error).__name__}") from error
    try:
        return policy_of(document, source)
    except PolicyError as error:
        raise PolicyError(f"{source}: {error}") from error


def _require_short_keys(text: str, source: str) -> None:
    """Refuse keys of very many parts, for which tomllib takes a minute per 100 KB."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_PARTS:
            plain = _STRING.sub("", line).partition("#")[0]
            if any(part.count(".") > MOST_PARTS for part in re.split("[=,]", plain)):
                raise PolicyError(f"{source} line {number}: a key of over {MOST_PARTS} parts")


def policy_of(document: Mapping[str, Any], source: str = "policy") -> Policy:
    """The policy of a document that was read already; raises `PolicyError`."""
    known = ("version", *SETTINGS, DRIFT, *SECTIONS, "segments")
    for key in document:
        require_known("the top of the file", key, known, "section or setting")
    if "version" not in document:
        raise refuse("the top of the file", f"`version` is missing; write version = {VERSION}")
    version = document["version"]
    if isinstance(version, bool) or version != VERSION:
        raise refuse("version", f"this is no version {VERSION} policy; versions differ in meaning")
    policy = Policy(
        settings=_settings("the top of the file", document),
        sections=_sections(document, ""),
        drift=_drift("[drift]", document.get(DRIFT), whole=True),
        segments=_segments(document.get("segments")),
        source=source,
    )
    _require_one_view(policy.sections)
    try:
        policy.thresholds  # noqa: B018 (sections may contradict each other)
    except InputError as error:
        raise refuse("drift", str(error)) from error
    return policy


def _sections(document: Mapping[str, Any], within: str) -> tuple[Section, ...]:
    found = []
    for key, value in document.items():
        if key in ("table", "defaults"):
            found.append(_section((key,), value, within))
        elif key in SECTIONS:
            for name, inner in table_of(place_of((key,), within), value).items():
                _require_named(key, name, within)
                found.append(_section((key, name), inner, within))
    return tuple(found)


def _require_named(group: str, name: str, within: str) -> None:
    known = {"types": known_kinds(), "roles": [role.value for role in Role]}.get(group)
    if known is not None:
        require_known(place_of((group,), within), name, known, group.removesuffix("s"))


def _section(path: tuple[str, ...], value: object, within: str) -> Section:
    place = place_of(path, within)
    table = table_of(place, value)
    rules = _rules(path, table, place, warning=False)
    if WARNING in table:
        inner = place_of((*path, WARNING), within)
        rules += _rules(path, table_of(inner, table[WARNING]), inner, warning=True)
    thresholds = None
    if DRIFT in table:
        if path[0] in ("table", "defaults") or within:
            raise refuse(place, "thresholds of drift stand in [drift] or with a type, role, column")
        thresholds = _drift(place_of((*path, DRIFT)), table[DRIFT])
    require_consistent(rules)
    return Section(path, _settings(place, table), rules, thresholds)


def _settings(place: str, table: Mapping[str, Any]) -> Settings:
    severity, least = _require_severity(place, table), table.get("minimum_rows")
    if least is not None:
        amount = amount_of(f"{place} minimum_rows", least)
        if amount != int(amount):
            raise refuse(f"{place} minimum_rows", f"{amount} is no number of rows")
        least = int(amount)
    texts = {key: table.get(key) for key in ("owner", "runbook")}
    for key, text in texts.items():
        if text is not None:
            text_of(f"{place} {key}", text)
    return Settings(severity, minimum_rows=least, **texts)


def _require_severity(place: str, table: Mapping[str, Any]) -> Severity | None:
    severity = table.get("severity")
    if severity is None:
        return None
    text_of(f"{place} severity", severity)
    require_known(f"{place} severity", severity, [s.value for s in Severity], "severity")
    return Severity(severity)


def _rules(
    path: tuple[str, ...], table: Mapping[str, Any], place: str, *, warning: bool
) -> tuple[Rule, ...]:
    found: list[Rule] = []
    settings = () if warning else (*SETTINGS, WARNING, DRIFT)
    for key, value in table.items():
        if key in settings:
            continue
        known = _known_rules(path)
        if key not in known and isinstance(value, Mapping) and path[0] == "columns":
            _refuse_dotted(path, key, known, place)
        require_known(place, key, [*known, *settings], "rule")
        here = f"{place} {key}"
        found += [Rule(key, each, here, warning) for each in _requirements(path, key, value, here)]
    return tuple(found)


def _known_rules(path: tuple[str, ...]) -> list[str]:
    """Names of the rules that a section may hold."""
    if path[0] == "table":
        return list(TABLE_RULES)
    if path[0] == "types":
        return [key for key in RULES if definition_fits(key, kinds_of(path[1]))]
    facts = {"roles": ["type"], "columns": ["type", "required", "forbidden"]}.get(path[0], [])
    return [*facts, *RULES]


def _refuse_dotted(path: tuple[str, ...], key: str, known: Sequence[str], place: str) -> None:
    """A column ``a.b`` written without quotes looks like a rule ``b`` of ``a``."""
    from difflib import get_close_matches

    if not get_close_matches(key, [*known, WARNING, DRIFT], n=1):
        name = ".".join((*path[1:], key))
        raise refuse(
            place, f'there is no rule `{key}`; for the column `{name}` write [columns."{name}"]'
        )


def _requirements(
    path: tuple[str, ...], key: str, value: object, place: str
) -> Sequence[Requirement | None]:
    if key in ("closed", "required", "forbidden") and path[0] != "table":
        return [Requirement(argument=flag_of(place, value))]
    if key == "closed":
        return [Requirement(argument=flag_of(place, value))]
    if key in FACTS:
        names = texts_of(place, value)
        if key == "type":
            for name in names:
                _require_type(place, name)
        return [Requirement(argument=names)]
    if path[0] == "table":
        return [bounds_of(place, value, amount_of)]
    if value is False:
        return [None]
    return RULES[key].read(place, value)


def _require_type(place: str, name: str) -> None:
    """A kind, or the text of an Arrow type; nested types are taken as they are written."""
    kinds = [kind.value for kind in Kind if kind is not Kind.UNSUPPORTED]
    if name not in kinds and "<" not in name and type_named(name) is None:
        require_known(place, name, kinds, "type")


def _drift(place: str, value: object, *, whole: bool = False) -> Drift:
    """Thresholds of drift, checked by those who will use them."""
    if value is None or isinstance(value, bool):
        return value
    given = dict(table_of(place, value))
    _require_severity(place, given)
    thresholds = thresholds_of(given)
    for name, threshold in thresholds.items():
        for number in threshold if isinstance(threshold, tuple) else [threshold]:
            if not isinstance(number, str):
                number_of(f"{place} {name}", number)
    share = thresholds.pop(DRIFT_SHARE, 0.0) if whole else 0.0
    try:
        Limits(Thresholds.of(thresholds), drift_share=share)
    except InputError as error:
        raise refuse(place, str(error)) from error
    return given


def _segments(value: object) -> tuple[Segment, ...]:
    if value is None:
        return ()
    found = []
    for number, item in enumerate(list_of("[[segments]]", value), start=1):
        place = f"[[segments]] {number} "
        table = table_of(place.strip(), item)
        for key in table:
            require_known(place.strip(), key, ["where", *SECTIONS], "section")
        where = table_of(f"{place}where", table.get("where", {}))
        if not where:
            raise refuse(f"{place}where", 'name the segment: where = { country = "DE" }')
        for name, member in where.items():
            if not isinstance(member, str | int | float | bool):
                raise refuse(f"{place}where.{name}", "a segment's value is a text or a number")
        found.append(Segment(dict(where), _sections(table, place)))
    return tuple(found)


def _require_one_view(sections: Sequence[Section]) -> None:
    """Refuse what the table's section and those of columns say against each other."""
    table = next((section for section in sections if section.path == ("table",)), None)
    if table is None:
        return
    for warning in (False, True):
        names = {
            rule.key: frozenset(rule.requirement.argument)
            for rule in table.rules
            if rule.warning is warning
            and rule.requirement
            and rule.key in ("required", "forbidden")
        }
        for name in sorted(names.get("required", frozenset())):
            if name in names.get("forbidden", ()):
                raise refuse("[table] required", f"`{name}` is forbidden too")
        for section in sections:
            if section.path[0] == "columns" and section.path[1] in names.get("forbidden", ()):
                flags = {r.key: r.requirement.argument for r in section.rules if r.requirement}
                if flags.get("required", True) is True and not flags.get("forbidden"):
                    raise refuse(
                        "[table] forbidden",
                        f"{place_of(section.path)} requires `{section.path[1]}`; "
                        "write required = false there if that is meant",
                    )
