"""The border between Python and C: declarations, the compiled module, the instruction sets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import leadline
from leadline import _native
from leadline._native import library

ROOT = Path(__file__).resolve().parents[2]
HEADER = sorted((ROOT / "csrc").glob("leadline*.h"))
CDEF = [ROOT / "bindings" / "native.cdef.h"]


def text_of(paths: list[Path]) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def without_comments(paths: list[Path]) -> str:
    return re.sub(r"/\*.*?\*/", " ", text_of(paths), flags=re.DOTALL)


def statements(paths: list[Path]) -> list[str]:
    """Declarations with their white space normalised."""
    text = re.sub(r"^\s*#.*?$", " ", without_comments(paths), flags=re.MULTILINE)
    text = re.sub(r"\{[^}]*\}", lambda match: match.group().replace(";", ","), text)
    return [re.sub(r"\s+", " ", part).strip() for part in text.split(";") if part.strip()]


def functions(paths: list[Path]) -> dict[str, str]:
    found = {}
    for statement in statements(paths):
        match = re.search(r"\b(ll_\w+) ?\(", statement)
        if match and "{" not in statement:
            assert match[1] not in found, f"{match[1]} is declared twice"
            found[match[1]] = statement
    return found


def structures(paths: list[Path]) -> dict[str, str]:
    text = without_comments(paths)
    found = re.findall(r"typedef struct \w+ (\{.*?\}) (ll_\w+);", text, flags=re.DOTALL)
    return {name: " ".join(body.split()) for body, name in found}


def constants(paths: list[Path]) -> set[str]:
    return set(re.findall(r"^#define +(LL_\w+) ", without_comments(paths), flags=re.MULTILINE))


@pytest.mark.parametrize("kind", [functions, structures, constants])
def test_header_and_cdef_declare_the_same(kind):
    # Otherwise cffi would believe something that the C side does not do.
    assert kind(HEADER)
    assert kind(CDEF) == kind(HEADER)


def run(code: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(path), **environment},
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_compiled_module_gives_a_hint(tmp_path):
    source = Path(leadline.__file__).parent
    shutil.copytree(source, tmp_path / "leadline", ignore=shutil.ignore_patterns("*.so", "*.pyd"))
    child = run("import leadline._native", tmp_path)
    assert child.returncode == 1
    last = child.stderr.strip().splitlines()[-1]
    assert "compiled kernels are missing; run `make setup`" in last
    (tmp_path / "leadline" / "_kernels.abi3.so").write_bytes(b"not a library")
    assert "compiled kernels are unusable" in run("import leadline._native", tmp_path).stderr


def test_the_environment_chooses_the_instruction_set():
    engine = Path(leadline.__file__).parent.parent
    code = "from leadline import _native; print(_native.active_instruction_set())"
    for name in _native.instruction_sets():
        assert run(code, engine, LEADLINE_INSTRUCTION_SET=name).stdout.strip() == name
    refused = run(code, engine, LEADLINE_INSTRUCTION_SET="mmx")
    assert "InputError: instruction set 'mmx' is not available; choose one of:" in refused.stderr


def test_the_best_instruction_set_is_active_at_load():
    engine = Path(leadline.__file__).parent.parent
    code = "from leadline import _native; print(_native.active_instruction_set())"
    found = run(code, engine, LEADLINE_INSTRUCTION_SET="").stdout.strip()
    assert found == _native.instruction_sets()[0]


def test_error_codes_have_texts():
    codes = [
        library.lib.LL_ERROR_ARGUMENT,
        library.lib.LL_ERROR_RANGE,
        library.lib.LL_ERROR_SUPPORT,
    ]
    texts = [library.ffi.string(library.lib.ll_error_text(code)) for code in codes]
    assert len(set(texts)) == len(codes)
    with pytest.raises(ValueError, match="does not know"):
        _native.keys_encode(np.zeros(1, dtype=np.uint64), 3)
    with pytest.raises(ValueError, match="expected uint64"):
        _native.keys_encode(np.zeros(1), _native.Storage.FLOAT64)


# The sizes stand at these places of their kernels; every other argument is empty memory.
SIZES = {
    "ll_keys_encode": [1],
    "ll_keys_decode": [1],
    "ll_gather": [3, 4, 9],
    "ll_moments_block": [1],
    "ll_moments_weighted": [2],
    "ll_histogram_index": [1],
    "ll_histogram_add": [1],
    "ll_histogram_read": [3],
    "ll_distinct_hash": [1],
    "ll_distinct_add": [1],
    "ll_distinct_add_hashes": [1],
    "ll_quantiles_scan": [1],
    "ll_quantiles_block": [1],
    "ll_quantiles_weighted": [2],
    "ll_ranks_band": [1, 9, 11],
    "ll_ranks_on": [5, 6, 8],
    "ll_ranks_counts": [4, 5, 9],
    "ll_ranks_distance": [4, 5, 10, 11],
    "ll_quantiles_bytes": [9],
    "ll_packing_numbers": [1],
    "ll_packing_gaps": [1],
    "ll_sketches_bytes": [1, 3],
    "ll_numbers_bytes": [2, 3, 5],
    "ll_text_bytes": [2],
    "ll_rows_body": [2],
    "ll_cells_windows": [1, 4],
    "ll_cells_sort": [1, 2],
    "ll_counts_range": [1],
    "ll_counts_dense": [1],
    "ll_counts_few": [1],
    "ll_counts_groups": [1, 3],
    "ll_counts_merge": [2, 5],
    "ll_unpacking_histogram": [1, 4, 6, 8, 9],
    "ll_unpacking_registers": [1],
    "ll_unpacking_quantiles": [1],
    "ll_text_count": [1],
    "ll_codes_count": [1, 5],
    "ll_text_hash": [1, 3],
    "ll_text_describe": [1, 3],
    "ll_text_ascending": [1, 3],
    "ll_text_merge": [2, 4, 7, 9],
    "ll_names_hash": [1, 3],
    "ll_names_union": [1, 3, 5, 7],
    "ll_numbers_profile": [2, 3],
    "ll_footer_chunks": [1, 3],
    "ll_pages_find": [1, 3],
    "ll_page_read": [4],
    "ll_pages_read": [3, 5],
    "ll_page_rest": [2],
    "ll_records_end": [1],
    "ll_calendar_count": [2],
    "ll_calendar_microseconds": [1],
}


@pytest.mark.parametrize("name", SIZES)
def test_negative_sizes_are_refused(name):
    kernel = getattr(library.lib, name)
    types = library.ffi.typeof(kernel).args
    room = library.ffi.new("uint64_t[4096]")
    places = SIZES[name]
    for place in places:
        values = [
            library.ffi.cast(kind, room) if kind.kind == "pointer" else 8 * (position in places)
            for position, kind in enumerate(types)
        ]
        values[place] = -1
        assert kernel(*values) == library.lib.LL_ERROR_ARGUMENT, place


def test_every_kernel_that_takes_a_size_is_looked_at():
    text = " ".join(text_of(HEADER).split())
    takers = re.findall(r"\bint (ll_\w+)\([^)]*\bint64_t (?!\*)[^)]*\)", text)
    # The sizes of a merge of sketches are those of its offsets, and what does not fit is a range.
    assert set(takers) - {"ll_quantiles_merge"} | {"ll_histogram_read"} == set(SIZES)


def test_addresses_that_would_wrap_are_refused():
    view = _native.ArrayView(_native.ArrowType.INT64, 8, 0, 2**62, 2**62, None)
    with pytest.raises(ValueError, match="size that the kernel does not know"):
        _native.gather(view, None, 0, 1, np.empty(1, dtype=np.uint64))
