"""Open windows: what is saved and what is not, and when a window is over."""

from __future__ import annotations

import pyarrow as pa
import pytest

from leadline.profile import Cell, Settings, Window
from leadline.serve.summarise import Summariser
from leadline.serve.windows import OpenWindows

SETTINGS = Settings(every="1m", tz="UTC")
FIRST, SECOND = Window(0, 60_000_000), Window(60_000_000, 120_000_000)


def cell(window: Window, *values: float) -> Cell:
    batch = pa.record_batch({"x": pa.array(values, pa.float64())})
    (found,) = Summariser(SETTINGS, {}).cells(window, [batch])
    return found


@pytest.fixture
def windows() -> OpenWindows:
    return OpenWindows(SETTINGS.k)


def test_rows_move_from_unsaved_to_saved(windows: OpenWindows) -> None:
    windows.add([cell(FIRST, 1.0, 2.0), cell(SECOND, 3.0)])
    windows.add([cell(FIRST, 5.0)])
    assert windows.unsaved_rows == 4
    written = windows.unsaved()
    assert [(each.window, each.rows) for each in written] == [(FIRST, 3), (SECOND, 1)]
    windows.mark_saved(written[:1])
    assert windows.unsaved_rows == 1
    windows.add([cell(FIRST, 7.0)])
    assert [each.rows for each in windows.unsaved()] == [1, 1]


def test_a_window_closes_when_it_has_ended_and_is_saved(windows: OpenWindows) -> None:
    windows.add([cell(FIRST, 1.0), cell(SECOND, 2.0)])
    assert windows.close(60_000_000) == []
    windows.mark_saved(windows.unsaved())
    assert windows.close(59_999_999) == []
    (closed,) = windows.close(60_000_000)
    assert closed.window == FIRST
    (whole,) = closed.cells(SETTINGS.k)
    assert whole.rows == 1
    assert len(windows) == 1


def test_saved_and_unsaved_are_one_cell(windows: OpenWindows) -> None:
    windows.add([cell(FIRST, 1.0)])
    windows.mark_saved(windows.unsaved())
    windows.add([cell(FIRST, 3.0)])
    newest = windows.newest()
    assert newest is not None
    (whole,) = newest.cells(SETTINGS.k)
    assert whole.states["x"].rows == 2


def test_the_oldest_is_given_up_first(windows: OpenWindows) -> None:
    windows.add([cell(SECOND, 1.0), cell(FIRST, 1.0, 2.0)])
    assert windows.drop_oldest() == 2
    assert windows.drop_oldest() == 1
    assert windows.drop_oldest() == 0
    assert windows.nbytes == 0
