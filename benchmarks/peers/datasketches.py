"""Apache DataSketches: one KLL sketch, k = 200: only quantiles, nothing else of a profile."""

from __future__ import annotations

from typing import Any

import datasketches
import numpy as np

from ..worker import Options, Work, serve

SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)


def column(options: Options) -> Work:
    values = np.load(options["path"])

    def run() -> datasketches.kll_doubles_sketch:
        sketch = datasketches.kll_doubles_sketch(200)
        sketch.update(values)
        return sketch

    def answers(sketch: datasketches.kll_doubles_sketch) -> dict[str, Any]:
        quantiles = {share: sketch.get_quantile(share) for share in SHARES}
        return {"x": {"rows": sketch.n, "quantiles": quantiles}}

    return Work(run, answers)


if __name__ == "__main__":
    serve({"column": column}, "datasketches")
