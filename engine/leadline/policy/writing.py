"""From a `Policy` to the text of a file that a person will edit."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from .policy import FACTS, VERSION, Drift, Policy, Rule, Section, Settings
from .reading import DRIFT, TABLE_RULES, WARNING
from .rules import RULES, bounds_text
from .toml import WIDTH, assignment, comment_lines, key_text, value_text

ASIDE = 40  # where comments begin beside short lines


def policy_text(policy: Policy) -> str:
    """The policy as TOML with its comments; `Policy.parse` reads the same policy from it."""
    lines = comment_lines(policy.comment)
    lines += [assignment("version", VERSION), *_settings(policy.settings)]
    if isinstance(policy.drift, bool):
        lines.append(assignment(DRIFT, policy.drift))
    elif policy.drift is not None or policy.hints:
        lines += ["", f"[{DRIFT}]", *_drift(policy.drift), *policy.hints]
    for section in policy.sections:
        lines += ["", *_section(section, ())]
    for segment in policy.segments:
        lines += ["", "[[segments]]", assignment("where", dict(segment.where))]
        for section in segment.sections:
            lines += ["", *_section(section, ("segments",))]
    return "\n".join(lines) + "\n"


def write_policy(policy: Policy, path: str | os.PathLike[str], *, force: bool) -> None:
    """See `Policy.write`."""
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a directory; name a file for the policy")
    if not target.parent.is_dir():
        raise InputError(f"there is no directory {target.parent}; make it first")
    if target.exists() and not force:
        raise InputError(
            f"{target} is there already; it may have been edited, so it is kept; "
            "force=True replaces it"
        )
    data = policy_text(policy).encode()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _place(Path(name), target, force=force)
    finally:
        Path(name).unlink(missing_ok=True)


def _place(partial: Path, target: Path, *, force: bool) -> None:
    """Put a finished file under its name; without ``force`` only if the name is free."""
    umask = os.umask(0)
    os.umask(umask)
    partial.chmod(0o666 & ~umask)
    if force:
        partial.replace(target)
        return
    try:
        os.link(partial, target)
    except FileExistsError:
        raise InputError(f"{target} was made meanwhile; it is kept") from None


def _section(section: Section, within: tuple[str, ...]) -> list[str]:
    path = (*within, *section.path)
    lines = _commented(f"[{key_text(*path)}]", section.comment)
    lines += _settings(section.settings)
    if isinstance(section.drift, bool):
        lines.append(assignment(DRIFT, section.drift))
    lines += [*_rules(r for r in section.rules if not r.warning), *section.hints]
    warnings = [rule for rule in section.rules if rule.warning]
    if warnings:
        lines += ["", f"[{key_text(*path, WARNING)}]", *_rules(warnings)]
    if isinstance(section.drift, dict):
        lines += ["", f"[{key_text(*path, DRIFT)}]", *_drift(section.drift)]
    return lines


def _settings(settings: Settings) -> list[str]:
    given = {
        "severity": settings.severity.value if settings.severity else None,
        "owner": settings.owner,
        "runbook": settings.runbook,
        "minimum_rows": settings.minimum_rows,
    }
    return [assignment(key, value) for key, value in given.items() if value is not None]


def _drift(drift: Drift) -> list[str]:
    given = drift if isinstance(drift, dict) else {}
    return [assignment(name, value) for name, value in given.items()]


def _rules(rules: Iterable[Rule]) -> list[str]:
    lines = []
    for key, group in itertools.groupby(rules, key=lambda rule: rule.key):
        together = list(group)
        text = _rule(key, together)
        comment = "; ".join(dict.fromkeys(rule.comment for rule in together if rule.comment))
        lines += _commented(text, comment)
    return lines


def _commented(text: str, comment: str) -> list[str]:
    """A line with its comment behind it where both fit, else above it."""
    notes = comment_lines(comment)
    beside = f"{text:<{ASIDE}}  {notes[0]}" if len(notes) == 1 else ""
    if beside and "\n" not in text and len(beside) <= WIDTH:
        return [beside]
    return [*notes, text]


def _rule(key: str, rules: Sequence[Rule]) -> str:
    requirements = [rule.requirement for rule in rules if rule.requirement is not None]
    value: Any
    if not requirements:
        value = False
    elif key in FACTS:
        (only,) = requirements
        names = only.argument
        value = list(names) if isinstance(names, tuple) else names
        if isinstance(value, list) and len(value) == 1 and key == "type":
            (value,) = value
    elif key in TABLE_RULES:
        value = bounds_text(requirements[0])
    else:
        value = RULES[key].write(requirements)
    if key in ("quantiles", "characters") and isinstance(value, dict):
        parts = (f"{key_text(key, name)} = {value_text(item)}" for name, item in value.items())
        return "\n".join(parts)
    return assignment(key, value)
