"""Describe the compiled module ``leadline._kernels`` to cffi (API mode); setup.py runs this."""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parent.parent
C_FOLDER = ROOT / "csrc"

# No -march=native: a wheel must run on every CPU of its platform; wider instructions are chosen
# at load. No contraction and no fast-math: every instruction set must give the same bits.
C_FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Wshadow"]


def relative(path: Path) -> str:
    """The path as setuptools wants it: relative to the project's root."""
    return str(path.relative_to(ROOT))


def builder() -> FFI:
    """The FFI object with every source, header and flag of the compiled module."""
    ffi = FFI()
    ffi.cdef((ROOT / "bindings" / "native.cdef.h").read_text(encoding="utf-8"))
    ffi.set_source(
        "leadline._kernels",
        '#include "leadline.h"',
        sources=[relative(path) for path in sorted(C_FOLDER.glob("*.c"))],
        depends=[relative(path) for path in sorted(C_FOLDER.glob("*.h"))],
        include_dirs=[relative(C_FOLDER)],
        libraries=["m"],
        extra_compile_args=C_FLAGS,
        extra_link_args=[],
    )
    return ffi


if __name__ == "__main__":
    builder().compile(verbose=True)
