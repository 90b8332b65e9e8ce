"""Imports point down the list of docs/design.md, and only one module sees the compiled kernels."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadline

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "engine" / "leadline"
# The package's own two files stand above the list: they only re-export and start the command.
ENTRANCES = {"__init__", "__main__"}
# Method `Profile.save`, so that users need not know the layers; named in docs/design.md.
ALLOWED_UPWARDS = {("profile/profile.py", "snapshot")}


def layers() -> list[str]:
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    block = re.search(r"```layers\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [row.split()[0] for row in block.group(1).splitlines()]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Absolute dotted names of everything a module imports, anywhere in it."""
    package = ["leadline", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def layer_of(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if parts[0] == "leadline" and len(parts) > 1 else None


def test_every_module_stands_in_the_list() -> None:
    found = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in modules()}
    found |= {path.stem for path in PACKAGE.glob("*.pyi")}  # compiled, only its types are text
    assert found - ENTRANCES == set(layers())


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    order = layers()
    name = str(path.relative_to(PACKAGE))
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in ENTRANCES:
        return
    for dotted in imported(path):
        layer = layer_of(dotted)
        if layer is None or layer in (own, "_kernels") or (name, layer) in ALLOWED_UPWARDS:
            continue
        assert layer in order, f"{name} imports {dotted}"
        assert order.index(layer) > order.index(own), f"{name} imports {dotted}, which stands above"


def test_only_native_imports_the_kernels() -> None:
    importers = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any("_kernels" in dotted.split(".") for dotted in imported(path))
    }
    assert importers == {"_native/library.py"}


def test_pandas_is_never_imported() -> None:
    for path in modules():
        assert not any(dotted.split(".")[0] == "pandas" for dotted in imported(path)), path


def test_names_of_the_package_exist() -> None:
    for name in leadline.__all__:
        assert getattr(leadline, name) is not None, name
    assert dir(leadline) == sorted(leadline.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        leadline.nothing  # noqa: B018


def test_functions_stay_in_front_of_folders_of_the_same_name() -> None:
    code = (
        "import leadline.compare, leadline.profile.column, leadline.scan, leadline\n"
        "assert callable(leadline.profile) and callable(leadline.compare)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from leadline.cli import main\n"
        "assert main(['--help']) == 0\n"
        "heavy = {'numpy', 'pyarrow', 'scipy', 'zstandard'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_interface_brings_no_scipy_and_no_terminal() -> None:
    code = (
        "import sys, leadline\n"
        "[getattr(leadline, name) for name in leadline.__all__]\n"
        "late = {'scipy', 'rich', 'typer', 'pyarrow.dataset', 'pandas'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
