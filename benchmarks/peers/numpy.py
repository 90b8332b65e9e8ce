"""NumPy: the sum of an array, the cheapest pass over its values that there is."""

from __future__ import annotations

import numpy as np

from ..worker import Options, Work, serve


def column(options: Options) -> Work:
    values = np.load(options["path"])
    return Work(lambda: np.sum(values), lambda total: {"x": {"mean": float(total) / len(values)}})


if __name__ == "__main__":
    serve({"column": column}, "numpy")
