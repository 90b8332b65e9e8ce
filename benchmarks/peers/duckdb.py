"""DuckDB: SUMMARIZE."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np

from ..worker import Options, Work, serve

QUARTILES = {"0.25": "q25", "0.5": "q50", "0.75": "q75"}
NUMBERS = {"DOUBLE", "FLOAT", "BIGINT", "INTEGER", "TINYINT"}


def connected(options: Options) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": options["threads"]})


def summarized(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """One row a column."""
    found = connection.execute(query)
    names = [each[0] for each in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def answers(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["column_name"]: answer(row) for row in rows}


def answer(row: dict[str, Any]) -> dict[str, Any]:
    # No nulls: SUMMARIZE prints their share rounded to two digits.
    found: dict[str, Any] = {"rows": row["count"], "distinct": row["approx_unique"]}
    # With a NaN among the values the mean is NaN, and quantiles count it as the largest number.
    if row["column_type"] in NUMBERS and row["avg"] != "nan":
        found["mean"] = float(row["avg"])
        found["quantiles"] = {share: float(row[name]) for share, name in QUARTILES.items()}
    return found


def column(options: Options) -> Work:
    """A column of a table of DuckDB's own, so that nothing is converted while it is timed."""
    connection = connected(options)
    connection.register("given", {"x": np.load(options["path"])})
    connection.execute("create table x as select * from given")
    return Work(lambda: summarized(connection, "summarize x"), answers)


def anchor(options: Options) -> Work:
    connection = connected(options)
    path = options["path"].replace("'", "''")
    query = f"summarize select * from '{path}'"
    return Work(lambda: summarized(connection, query), answers)


if __name__ == "__main__":
    serve({"column": column, "anchor": anchor}, "duckdb")
