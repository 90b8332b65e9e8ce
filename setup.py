"""The compiled modules and the build switches; everything else is in pyproject.toml.

LEADLINE_DEBUG_BUILD=1   -O0, debug symbols, assertions on
LEADLINE_SANITIZE=LIST   build under sanitizers, e.g. address,undefined (see tests/sanitize.sh)
LEADLINE_WERROR=1        C warnings are errors
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class SwitchedBuild(build_ext):
    """Add the flags of the environment's switches to every extension."""

    def build_extension(self, ext: Extension) -> None:
        debug = bool(os.environ.get("LEADLINE_DEBUG_BUILD"))
        sanitizers = os.environ.get("LEADLINE_SANITIZE", "")
        ext.extra_compile_args += ["-O0", "-g", "-UNDEBUG"] if debug else ["-DNDEBUG"]
        if sanitizers:
            flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=undefined"]
            ext.extra_compile_args += [*flags, "-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG"]
            ext.extra_link_args += flags
        if os.environ.get("LEADLINE_WERROR"):
            ext.extra_compile_args.append("-Werror")
        super().build_extension(ext)


KERNELS = "bindings/build_native.py"
# The limited API of 3.11, as cffi's modules have it: one wheel serves every later Python.
CAPTURE = Extension(
    "leadline._capture",
    sources=sorted(map(str, Path("csrc/capture").glob("*.c"))),
    depends=["csrc/capture/capture.h", "csrc/common.h", "csrc/mix.h"],
    define_macros=[("Py_LIMITED_API", "0x030b0000")],
    py_limited_api=True,
    extra_compile_args=runpy.run_path(KERNELS)["C_FLAGS"],
)

setup(
    cffi_modules=[f"{KERNELS}:builder"],
    ext_modules=[CAPTURE],
    cmdclass={"build_ext": SwitchedBuild},
)
