"""How often free text, ids and instants are called changed: where nothing is, and where they are.

``python -m benchmarks.aspects`` prints the tables of docs/statistics.md, section 6. Every pair of
columns is profiled and compared, and each comparison holds that one column.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pyarrow as pa

import leadline as ll

Random = np.random.Generator
Draw = Callable[[int, Random], pa.Array]
DAY = 86_400_000_000


def texts(
    mean: float = 20,
    spread: float = 0.5,
    empty: float = 0.02,
    digits: float = 0.1,
    pure: bool = False,
) -> Draw:
    """Texts of lognormal lengths; ``pure`` ones hold digits only or none of them."""

    def draw(rows: int, random: Random) -> pa.Array:
        lengths = np.ceil(mean * random.lognormal(0, spread, rows)).astype(np.int64)
        lengths[random.random(rows) < empty] = 0
        letters = random.integers(97, 123, lengths.sum(), dtype=np.uint8)
        if pure:
            chosen = np.repeat(random.random(rows) < digits, lengths)
        else:
            chosen = random.random(len(letters)) < digits
        letters[chosen] = 48 + letters[chosen] % 10
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
        return pa.Array.from_buffers(pa.string(), rows, buffers)

    return draw


def ids(repeated: float = 0.0, *, users: int = 0, whole: bool = True) -> Draw:
    """Different numbers of which some come twice, or rows of so many users by Zipf's law."""

    def draw(rows: int, random: Random) -> pa.Array:
        if users:
            weights = 1 / np.arange(1, users + 1)
            found = random.choice(users, rows, p=weights / weights.sum())
        else:
            found = random.choice(2**40, rows)
            twice = np.flatnonzero(random.random(rows) < repeated)
            found[twice] = found[(twice + 1) % rows]
        return pa.array(found) if whole else pa.array(found.astype(str))

    return draw


def instants(
    days: int,
    *,
    start: int = 0,
    noise: float = 0.0,
    hour: float = 12.0,
    weekend: float = 1.0,
    gone: int = 0,
) -> Draw:
    """Rows of days whose numbers differ by ``noise``, at hours around one of them."""

    def draw(rows: int, random: Random) -> pa.Array:
        rates = random.lognormal(0, noise, days)
        rates[(start + np.arange(days)) % 7 > 4] *= weekend
        if gone:
            rates[random.choice(days - 2, gone, replace=False) + 1] = 0
        day = random.choice(days, rows, p=rates / rates.sum())
        hours = (hour + 24 * (random.beta(2, 2, rows) - 0.5)) % 24
        micros = (4 + start + day) * DAY + (hours * 3_600_000_000).astype(np.int64)
        return pa.array(micros, pa.timestamp("us"))

    return draw


Case = tuple[str, str, Draw, Draw]


def same(name: str, role: str, draw: Draw) -> Case:
    """One population twice."""
    return name, role, draw, draw


def weeks(days: int, start: int) -> Draw:
    """Days whose rows differ by 30 %, with half as many at weekends."""
    return instants(days, start=start, noise=0.3, weekend=0.5)


SAME: list[Case] = [
    same("text, lengths by half", "feature", texts()),
    same("text, of one kind each, long tail", "feature", texts(40, 1, pure=True)),
    same("text, of equal length, none empty", "feature", texts(16, 0, 0)),
    same("text, rare digits", "feature", texts(digits=0.001, pure=True)),
    same("id, all different", "id", ids()),
    same("id, 3 % come twice", "id", ids(0.03)),
    same("id, 100,000 users", "id", ids(users=100_000)),
    same("id, 300 users, text", "id", ids(users=300, whole=False)),
    ("instants of 60 days", "timestamp", instants(60), instants(60, start=60)),
    ("instants, 90 and 30 days", "timestamp", weeks(90, 0), weeks(30, 90)),
    ("instants, 90 and 14 days", "timestamp", weeks(90, 0), weeks(14, 90)),
    ("instants, a year and a day", "timestamp", instants(365), instants(1, start=365)),
    same("days of birth", "timestamp", instants(20_000)),
]
CHANGED: list[Case] = [
    ("lengths 20 to 24", "feature", texts(), texts(24)),
    ("empty 2 % to 6 %", "feature", texts(), texts(empty=0.06)),
    ("digits 10 % to 20 %", "feature", texts(), texts(digits=0.2)),
    ("all different to 3 % twice", "id", ids(), ids(0.03)),
    ("all different to 30 % twice", "id", ids(), ids(0.3)),
    ("all different to 100 users", "id", ids(), ids(users=100)),
    ("3 hours later", "timestamp", instants(60), instants(60, start=60, hour=15)),
    (
        "weekends from half to none",
        "timestamp",
        instants(60, noise=0.2, weekend=0.5),
        instants(60, start=60, noise=0.2, weekend=0),
    ),
    ("5 of 30 days gone", "timestamp", instants(90), instants(30, start=90, gone=5)),
]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1_000)
    repeats = parser.parse_args().repeats
    random = np.random.default_rng(11)
    for title, cases in (("unchanged", SAME), ("changed", CHANGED)):
        print(
            f"\n| {title} | aspect | rows | p <= 5 % | p <= 0.1 % | drift | possible | compared |"
        )
        print("|---|---|--:|--:|--:|--:|--:|--:|")
        for name, role, before, now in cases:
            for n, m in ((1_000, 1_000), (10_000, 10_000), (10_000, 1_000)):
                draws = max(1, repeats if title == "unchanged" else repeats // 10)
                for line in _lines(role, before, now, n, m, draws, random):
                    print(f"| {name} | {line}", flush=True)


def _lines(
    role: str, before: Draw, now: Draw, n: int, m: int, repeats: int, random: Random
) -> list[str]:
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for _ in range(repeats):
        sides = [
            ll.profile({"x": draw(rows, random)}, roles={"x": role})
            for draw, rows in ((before, n), (now, m))
        ]
        for name, one in ll.compare(*sides)["x"].aspects.items():
            p = one.judgement.p_value
            found[name].append((np.nan if p is None else p, one.verdict.value))
    lines = []
    for name, results in found.items():
        p_values = np.array([each for each, _ in results])
        known = p_values[np.isfinite(p_values)]
        if not len(known):
            lines.append(f"{name} | {n:,} + {m:,} | | | | | 0 % |")
            continue
        shares = [float(np.mean(known <= level)) for level in (0.05, 0.001)]
        verdicts = [one for _, one in results]
        shares += [verdicts.count(verdict) / repeats for verdict in ("drift", "possible")]
        shares.append(len(known) / repeats)
        told = " | ".join(f"{100 * each:.3g} %" for each in shares)
        lines.append(f"{name} | {n:,} + {m:,} | {told} |")
    return lines


if __name__ == "__main__":
    main()
