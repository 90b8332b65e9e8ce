"""bindings/native.cdef.h and csrc/leadline.h must say the same, or cffi would lie about the C side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "csrc" / "leadline.h"
CDEF = ROOT / "bindings" / "native.cdef.h"


def without_comments(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def statements(path: Path) -> list[str]:
    """Declarations with their white space normalised."""
    text = re.sub(r"^\s*#.*?$", " ", without_comments(path), flags=re.MULTILINE)
    text = re.sub(r"\{[^}]*\}", lambda match: match.group().replace(";", ","), text)
    return [re.sub(r"\s+", " ", part).strip() for part in text.split(";") if part.strip()]


def functions(path: Path) -> dict[str, str]:
    found = {}
    for statement in statements(path):
        match = re.search(r"\b(ll_\w+) ?\(", statement)
        if match and "{" not in statement:
            assert match[1] not in found, f"{match[1]} is declared twice in {path.name}"
            found[match[1]] = statement
    return found


def structures(path: Path) -> dict[str, str]:
    found = {}
    for statement in statements(path):
        match = re.match(r"typedef struct .*\} (ll_\w+)$", statement)
        if match:
            found[match[1]] = statement
    return found


def constants(path: Path) -> set[str]:
    return set(re.findall(r"^#define +(LL_\w+) ", without_comments(path), flags=re.MULTILINE))


@pytest.mark.parametrize("kind", [functions, constants])
def test_header_and_cdef_declare_the_same(kind):
    assert kind(HEADER)
    assert kind(CDEF) == kind(HEADER)
