"""Rows that fight back: code that runs inside a capture, objects that lie, raise or never end."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
import weakref
from collections import ChainMap, OrderedDict, UserDict, defaultdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from capturing import drained, recorder, rows_of
from leadline import _capture
from leadline._capture import Batch, Block, Memory, Plan, Recorder
from leadline.errors import InputError
from leadline.serve.rows import plan_of  # on import it says how types are read


def account(kept: Recorder) -> int:
    """Rows accepted and dropped; the recorder's own terms agree."""
    counters = kept.counters()
    assert counters["accepted"] == counters["taken"] + counters["waiting"]
    return counters["accepted"] + sum(counters["dropped"].values())


# --- values that run code -----------------------------------------------------------------------


class Acting:
    """A number whose conversion does something first."""

    def __init__(self, action: Any, value: float = 0.5) -> None:
        self.action, self.value = action, value

    def __float__(self) -> float:
        self.action()
        return self.value


ACTIONS: dict[str, Any] = {
    "log the same fields": lambda kept, _: kept.log({"x": 1.5, "y": "inner", "z": 2}),
    "log new fields": lambda kept, _: kept.log({f"new {len(kept.fields)}": 1}),
    "log by another form": lambda kept, _: kept.plan(["z"]).log((7,)),
    "log oddly": lambda kept, _: kept.log({"x": "no", "y": "\ud800", "z": 10**400}),
    "seal": lambda kept, _: kept.seal(),
    "take and release": lambda kept, _: drained(kept),
    "change the row": lambda _, row: row.update(z="changed", more=1),
    "empty the row": lambda _, row: row.clear(),
    "grow the row": lambda _, row: row.update({f"key {i}": i for i in range(2_000)}),
    "check": lambda kept, _: kept.checks({"x": (0, 1, None, True), "y": (0, 1, ["a"], False)}),
    "collect": lambda *_: gc.collect(1),
    "raise": lambda *_: 1 / 0,
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
def test_code_that_runs_inside_a_capture(action):
    kept = recorder()
    for before in range(3):
        kept.log({"x": 0.0, "y": f"before {before}", "z": before})
    for number in range(50):
        row: dict[str, Any] = {"y": f"outer {number}", "x": None, "z": number}
        row["x"] = Acting(lambda row=row: action(kept, row))
        kept.log(row)
        kept.log({"x": 0.0, "y": f"after {number}", "z": number})
    account(kept)
    found = [row for row in rows_of(kept) if row.get("y")]
    # Rows that the action itself took are gone; of the others, none is lost, mixed up or torn.
    after = [(row["y"], row["z"]) for row in found if row["y"].startswith("after")]
    assert after[-1] == ("after 49", 49)
    for row in found:
        kind, number = row["y"].rsplit(" ", 1) if " " in row["y"] else (row["y"], None)
        assert kind in {"before", "outer", "after", "inner", "\\ud800"}
        if number is not None:
            assert row["z"] == int(number)


def test_rows_logged_by_values_are_all_there():
    kept = recorder()
    for number in range(200):
        kept.log({"x": Acting(lambda number=number: kept.log({"x": float(number)}), -1.0)})
    values = [row["x"] for row in rows_of(kept)]
    assert values == [value for number in range(200) for value in (float(number), -1.0)]
    assert account(kept) == 400


def test_closing_forgetting_and_dropping_inside_a_capture():
    kept = recorder()
    kept.log({"x": Acting(kept.close)})
    assert kept.counters()["dropped"]["closed"] == 1
    kept = recorder()
    kept.log({"x": Acting(kept.forget)})  # as if the value had forked: the row is the parent's
    assert kept.counters()["accepted"] == 0
    holder = [recorder()]
    holder[0].log({"x": Acting(holder.clear)})
    assert holder == []


def test_a_value_that_logs_itself_without_end():
    kept = recorder()

    class Endless:
        def __float__(self) -> float:
            kept.log({"x": self})
            return 1.0

    kept.log({"x": Endless()})
    assert account(kept) > 50
    assert kept.violations()["x"]["mistyped"] >= 1
    assert {row["x"] for row in rows_of(kept)} <= {1.0, None}


def test_values_that_log_when_they_are_deleted():
    kept = recorder()

    class Dying:
        def __float__(self) -> float:
            return 1.0

        def __del__(self) -> None:
            kept.log({"x": 2.0, "y": "dying"})

    for number in range(300):
        row = {"x": Dying(), "y": str(number)}
        kept.log(row)
        row["x"] = None
    rows = rows_of(kept)
    assert [row["y"] for row in rows if row["x"] == 1.0] == [str(number) for number in range(300)]
    assert len([row for row in rows if row == {"x": 2.0, "y": "dying"}]) == 300


def test_the_garbage_collector_may_run_at_any_allocation():
    kept = recorder()
    logged = itertools.count()

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            kept.log({"i": next(logged), "s": "of the collector"})

    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for number in range(2_000):
            Cycle()
            # A text that has no UTF-8 makes an exception, whose allocation starts the collector.
            kept.log({"s": f"text {number}", "odd": f"\ud800{number}", "end": f"end {number}"})
            kept.log({"s": [], "i": "wrong", "odd": b"\xff", number: 1})
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    rows = rows_of(kept)
    assert account(kept) == len(rows) == 4_000 + next(logged)
    odd = [row for row in rows if row["s"] and row["s"].startswith("text")]
    expected = [(f"text {n}", f"\\ud800{n}", f"end {n}") for n in range(2_000)]
    assert [(row["s"], row["odd"], row["end"]) for row in odd] == expected
    assert len([row for row in rows if row["s"] == "of the collector"]) == len(rows) - 4_000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_signal_handlers_that_log():
    kept = recorder(rows=10**7, bytes=2**30)
    signals = itertools.count()
    handled: list[str] = []  # handlers nest, so that adding to a number would lose some

    def handler(*_: object) -> None:
        text = f"signal {next(signals)}"
        kept.log({"x": -1.0, "s": text})
        handled.append(text)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        number = 0
        while len(handled) < 100 and number < 5_000_000:
            kept.log({"x": Acting(int, 0.5) if number % 3 else 1.0, "s": f"row {number}"})
            number += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    rows = rows_of(kept)
    assert account(kept) == len(rows) == number + len(handled)
    texts = [row["s"] for row in rows if row["x"] != -1.0]
    assert texts == [f"row {i}" for i in range(number)]
    assert sorted(row["s"] for row in rows if row["x"] == -1.0) == sorted(handled)


# --- what is raised -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, MemoryError, RecursionError, StopIteration, OSError])
def test_errors_of_values_stay_inside(error):
    def fail() -> None:
        raise error("inside")

    kept = recorder()
    for _ in range(3):
        kept.log({"x": Acting(fail), "y": 1})
    assert rows_of(kept) == [{"x": None, "y": 1}] * 3
    assert kept.violations() == {"x": {"mistyped": 3}}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_process_goes_through_and_the_row_is_counted(error):
    def fail() -> None:
        raise error

    kept = recorder()
    with pytest.raises(error):
        kept.log({"x": Acting(fail)})
    kept.log({"x": 1})
    assert rows_of(kept) == [{"x": 1}]
    assert kept.counters()["dropped"]["error"] == 1
    kept.on_start = fail
    kept.forget()
    with pytest.raises(error):
        kept.log({"x": 1})
    assert kept.counters()["accepted"] == 1


class Hash:
    """Of a type that cannot be found in a dict."""


class BadMeta(type):
    def __hash__(cls) -> int:
        raise RuntimeError("no hash")

    def __getattr__(cls, name: str) -> Any:
        raise RuntimeError("no attributes")


class BadMetaclass(metaclass=BadMeta):
    pass


class LyingClass:
    @property
    def __class__(self) -> type:  # type: ignore[override]
        return float


class WrongFloat:
    def __float__(self) -> Any:
        return "text"


class WrongIndex:
    def __index__(self) -> Any:
        return 1.5  # noqa: PLE0305 (on purpose)


class HugeIndex:
    def __index__(self) -> int:
        return 10**400


class Grown(float):
    def __float__(self) -> float:
        raise RuntimeError("the value of a float is its own")


class Typed(str):
    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [BadMetaclass(), LyingClass(), WrongFloat(), WrongIndex(), HugeIndex(), type, BadMetaclass],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_values_that_lie_are_null(value):
    kept = recorder()
    for _ in range(2):
        kept.log({"x": value, "y": "kept"})
    assert rows_of(kept) == [{"x": None, "y": "kept"}] * 2
    assert sum(kept.violations()["x"].values()) == 2


def test_subclasses_are_the_values_that_they_hold():
    kept = recorder()
    kept.log({"f": Grown(1.5), "s": Typed("text")})
    kept.log({"f": Grown(2.5), "s": Typed("more")})
    assert rows_of(kept) == [{"f": 1.5, "s": "text"}, {"f": 2.5, "s": "more"}]


# --- rows and keys that lie ---------------------------------------------------------------------


class Key(str):
    """A key whose equality and hash run code."""

    __slots__ = ()
    log: Any = None

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        if Key.log is not None:
            Key.log()
        return super().__eq__(other)


def test_keys_that_run_code():
    kept = recorder()
    row: dict[str, Any] = {Key("a"): 1, Key("b"): 2}

    def act() -> None:
        row.clear()
        kept.log({"a": 3})

    Key.log = act
    try:
        for _ in range(3):
            kept.log({"a": 0, "b": 0})
            row |= {Key("a"): 1, Key("b"): 2}
            kept.log(row)
    finally:
        Key.log = None
    rows = rows_of(kept)
    assert len(rows) == account(kept)
    assert [row for row in rows if row == {"a": 0, "b": 0}] == [{"a": 0, "b": 0}] * 3


def test_mappings_of_every_kind():
    row = {"a": 1, "b": "x"}
    kinds = [OrderedDict(row), defaultdict(int, row), UserDict(row), ChainMap(row)]
    kept = recorder()
    for mapping in [row, *kinds, MappingProxyType(row)]:
        kept.log(mapping)
        kept.log(mapping)
    assert rows_of(kept) == [row] * 12


class Broken(UserDict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise RuntimeError

    def keys(self) -> Any:
        raise ValueError


@pytest.mark.parametrize(
    "row", [None, 7, "text", b"", 1.5, object(), {1, 2}, Broken(), BadMetaclass(), type, len, ...]
)
def test_rows_that_are_none_are_dropped_and_counted(row):
    kept = recorder()
    kept.log(row)
    assert kept.counters()["accepted"] == 0
    assert kept.counters()["dropped"]["error"] == 1
    strict = recorder(strict=True)
    with pytest.raises(InputError, match="has no fields to read"):
        strict.log(row)


def test_a_binder_that_fails_or_lies():
    class Row:
        pass

    foreign = recorder(["a"]).plan(["a"])
    answers = iter([1 / 3, foreign, RuntimeError, None])

    def answer(of: Recorder, type_: type) -> Any:
        given = next(answers)
        if given is RuntimeError:
            raise given
        return given

    _capture.binder(answer)
    try:
        kept = recorder()
        for _ in range(5):
            kept.log(Row())
        assert next(answers, "all were asked for") == "all were asked for"
    finally:
        _capture.binder(plan_of)
    assert kept.counters()["dropped"]["error"] == 5


# --- bounds -------------------------------------------------------------------------------------


def test_new_keys_without_end_stay_bounded():
    kept = recorder(fields_limit=50, rows=10**9, bytes=2**30)
    fresh = itertools.count()
    for _ in range(2_000):
        kept.log({f"key {next(fresh)}": 1 for _ in range(10)})
    assert len(kept.fields) == 50
    extra = kept.extra()
    assert len(extra) == 101
    assert sum(extra.values()) == 20_000 - 50
    assert kept.counters()["accepted"] == 2_000


def test_one_row_of_a_hundred_thousand_keys():
    kept = recorder(["a"], fields_limit=10)
    row = {f"key {i}": i for i in range(100_000)} | {"a": 1}
    kept.log(row)
    kept.log(row)
    assert len(kept.fields) == 10
    assert sum(kept.extra().values()) == 2 * (100_001 - 10)
    assert kept.counters()["accepted"] == 2


def test_huge_texts_are_not_even_encoded():
    kept = recorder(text_limit=1_000)
    huge = "é" * 10_000_000
    tracemalloc.start()
    try:
        for _ in range(3):
            kept.log({"s": huge})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert kept.violations() == {"s": {"oversized": 3}}


def test_new_categories_without_end_stay_within_the_bytes():
    kept = recorder(bytes=2**20)
    for number in range(100_000):
        kept.log({"s": f"category {number}"})
    counters = kept.counters()
    assert counters["bytes"] <= 2**20
    assert counters["accepted"] + counters["dropped"]["bytes"] == 100_000


def test_many_types_are_not_kept_alive():

    kept = recorder(["x"])
    types: list[weakref.ref[type]] = []
    for _ in range(1_000):
        own = type("Own", (), {"__float__": lambda _: 1.5, "x": 2})
        types.append(weakref.ref(own))
        kept.log({"x": own()})
        kept.log(own())
    del own
    gc.collect()
    assert sum(type_() is not None for type_ in types) <= 512
    assert kept.counters()["accepted"] == 2_000


# --- references ---------------------------------------------------------------------------------


def paths(kept: Recorder) -> dict[str, tuple[Any, Any]]:
    """A row for every way through the capture, and who logs it."""
    text, number, odd = "some text of its own"[:14], 12345.678, Acting(int)
    keys = ["name of a field", "another name", "the third"]
    values = [text, number, 2**40]
    row = dict(zip(keys, values, strict=True))

    class Row:
        pass

    attributes = Row()
    attributes.__dict__.update(row)
    plan = kept.plan(keys)
    return {
        "shape": (kept.log, row),
        "gathered": (kept.log, {**row, keys[1]: odd}),
        "other order": (kept.log, dict(reversed(row.items()))),
        "extra": (kept.log, {**row, "no field": object()}),
        "mistyped": (kept.log, {**row, keys[0]: object()}),
        "tuple": (plan.log, tuple(values)),
        "list": (plan.log, [text, odd, 1]),
        "attributes": (plan.log, attributes),
        "wrong length": (plan.log, (1,)),
        "no row": (kept.log, object()),
        "numpy": (kept.log, {keys[1]: np.float32(1.5), keys[2]: np.int64(5)}),
    }


def referred(row: Any) -> list[Any]:
    if isinstance(row, dict):
        return [row, *row, *row.values()]
    return [row, *row] if isinstance(row, tuple | list) else [row]


@pytest.mark.parametrize("way", paths(recorder()).keys())
def test_no_reference_is_kept_or_lost(way):
    kept = recorder(fields_limit=3, rows=10**7)
    ways = paths(kept)
    for log, row in ways.values():  # what is learned once is kept
        log(row)
    log, row = ways[way]
    log(row)
    objects = referred(row)
    before = [sys.getrefcount(one) for one in objects]
    for _ in range(1_000):
        log(row)
    assert [sys.getrefcount(one) for one in objects] == before


def test_a_hundred_thousand_rows_leave_no_python_memory_behind():
    kept = recorder(fields_limit=3, rows=10**7)
    ways = list(paths(kept).values())
    for log, row in ways * 10:
        log(row)
    drained(kept)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100_000):
            log, row = ways[number % len(ways)]
            log(row)
            if number % 20_000 == 0:
                drained(kept)
        drained(kept)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert kept.counters()["bytes"] == 0


def test_cycles_through_a_recorder_are_collected():
    class Owner:
        def __init__(self) -> None:
            self.recorder = recorder()
            self.recorder.on_start = self.start
            self.plan = self.recorder.plan(["x"])

        def start(self) -> None:
            self.recorder.add_batch(self, 1, 1, 0)

    owner = Owner()
    owner.plan.log((1,))
    owner.recorder.seal()
    blocks = owner.recorder.take(1)
    owner.blocks = blocks
    gone = weakref.ref(owner)
    del owner, blocks
    gc.collect()
    assert gone() is None


# --- objects that nobody else may make, calls that make no sense --------------------------------


@pytest.mark.parametrize("type_", [Block, Batch, Plan, Memory])
def test_only_recorders_make_what_they_give(type_):
    with pytest.raises(TypeError):
        type_()
    with pytest.raises(TypeError):
        type_.__new__(type_)


@pytest.mark.parametrize("type_", [Recorder, Block, Batch, Plan, Memory])
def test_nothing_can_be_derived(type_):
    with pytest.raises(TypeError):
        type("Derived", (type_,), {})


@pytest.mark.parametrize(
    "call",
    [
        lambda kept: kept.take("many"),
        lambda kept: kept.take(2**70),
        lambda kept: kept.wait("long"),
        lambda kept: kept.add_batch(None, -1, 0, 0),
        lambda kept: kept.add_batch(None, 0, -1, 0),
        lambda kept: kept.add_batch(None, 2**70, 0, 0),
        lambda kept: kept.add_batch(None),
        lambda kept: kept.plan(["a", "a"]),
        lambda kept: kept.plan([1]),
        lambda kept: kept.plan(7),
        lambda kept: kept.plan(["a"], "guess"),
        lambda kept: kept.log(),
        lambda kept: delattr(kept, "fields"),
        lambda _: Recorder(()),
        lambda _: Recorder(7, step_ns=1, rows=1, bytes=1),
    ],
)
def test_calls_that_make_no_sense_raise_and_change_nothing(call):
    kept = recorder()
    kept.log({"a": 1})
    before = kept.counters()
    with pytest.raises((TypeError, ValueError, OverflowError, AttributeError, InputError)):
        call(kept)
    assert kept.counters() == before
    assert rows_of(kept) == [{"a": 1}]


def test_waiting_times_of_any_kind():
    kept = recorder()
    for seconds in (0, -1, -float("inf"), float("nan"), 0.001):
        assert kept.wait(seconds) is False
    kept.wake()
    assert kept.wait(float("inf")) is True
    assert kept.wait(0) is False
    kept.on_start = None
    del kept.on_start
    assert kept.on_start is None


# --- forks --------------------------------------------------------------------------------------

FORKS = """
    import os, sys, threading, time
    from leadline._capture import Recorder

    kept = Recorder((), step_ns=1_000_000, rows=10**6, bytes=2**26)
    done = False

    def log():
        while not done:
            kept.log({"x": 1.5, "s": "text"})

    def summarise():
        while not done:
            kept.wait(0.0005)
            for block in kept.take(10**6):
                block.columns()
                kept.release(block)

    def ring():
        while not done:
            kept.wake()

    threads = [threading.Thread(target=target) for target in (log, log, summarise, ring)]
    for thread in threads:
        thread.start()
    for number in range(FORKS):
        kept.log({"x": 0.5, "s": "parent"})
        pid = os.fork()
        if pid == 0:
            kept.forget()
            assert kept.counters()["accepted"] == kept.counters()["bytes"] == 0
            kept.log({"x": 2.5, "s": "child"})
            kept.wake()
            assert kept.wait(5)
            kept.seal()
            (block,) = kept.take(10)
            assert block.rows == 1 and bytes(memoryview(block.columns()[1][5])) == b"child"
            kept.release(block)
            assert kept.counters()["bytes"] == 0
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert status == 0, status
    done = True
    for thread in threads:
        thread.join()
    kept.seal()
    kept.take(10**9)
    counters = kept.counters()
    assert counters["accepted"] == counters["taken"]
    print("survived")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
def test_children_of_a_busy_process():
    code = textwrap.dedent(FORKS).replace("FORKS", "40")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "survived", done.stderr


def test_the_end_of_the_interpreter_with_rows_waiting():
    code = """
        import atexit, gc
        from leadline._capture import Recorder
        kept = Recorder((), step_ns=10**9, rows=100, bytes=2**20)
        class Last:
            def __del__(self):
                kept.log({"x": 1})
        kept.on_start = Last().__del__
        kept.log({"x": Last()})
        kept.seal()
        blocks = kept.take(1)
        columns = blocks[0].columns()
        cycle = [kept, blocks, columns]
        cycle.append(cycle)
        last = Last()
        print("end")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "end"), done.stderr


# --- random rows against plain Python -----------------------------------------------------------


def test_random_rows_are_what_plain_python_makes_of_them(random):
    kept = recorder(bytes=2**30, fields_limit=30)
    makers = [
        lambda: float(random.normal()),
        lambda: int(random.integers(-(2**40), 2**40)),
        lambda: "é" * int(random.integers(0, 9)),
        lambda: None,
        lambda: bool(random.integers(2)),
        lambda: np.float32(random.normal()),
        lambda: [1],
    ]
    classes: dict[str, str] = {}
    expected = []
    order: list[str] = []
    for _ in range(4_000):
        keys = [f"k{k}" for k in random.permutation(12)[: random.integers(0, 12)]]
        row = {key: makers[int(random.integers(len(makers)))]() for key in keys}
        order += [key for key in row if key not in order]
        kept.log(row)
        expected.append({key: plain(classes, key, value) for key, value in row.items()})
    found = rows_of(kept)
    assert kept.fields == tuple(order)
    assert kept.classes == {key: classes.get(key, "any") for key in order}
    for row, wanted in zip(found, expected, strict=True):
        assert {key: value for key, value in row.items() if value is not None} == {
            key: value for key, value in wanted.items() if value is not None
        }


def plain(classes: dict[str, str], key: str, value: Any) -> Any:
    """What is kept of a value, by the rules in words."""
    kind = {bool: "bool", int: "number", float: "number", np.float32: "number", str: "text"}.get(
        type(value)
    )
    if kind is None:
        return None
    held = classes.setdefault(key, kind)
    if held == kind:
        return value
    if held == "number" and kind == "bool":
        return int(value)
    if held == "bool" and kind == "number" and value in {0, 1}:
        return bool(value)
    return None


def test_the_stub_names_everything():
    stub = Path(_capture.__file__).parent / "_capture.pyi"
    text = stub.read_text(encoding="utf-8")
    for type_ in (Recorder, Plan, Block, Batch):
        body = text[text.index(f"class {type_.__name__}:") :]
        body = body[: body.find("\nclass ") if "\nclass " in body else None]
        for name in vars(type_):
            if not name.startswith("__"):
                assert name in body, f"{type_.__name__}.{name}"
