"""A file read by ranges from far away, with the next ranges on their way while one is in use.

Every read becomes one request for exactly its bytes; there is no cache that could fetch a byte
twice or hold a whole file. Requests for what will be read next are sent beforehand: a request to an
object store takes tens of milliseconds before its first byte comes, longer than decoding takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

Range = tuple[int, int]

# Larger ranges are asked for in such pieces, several at once: one connection to an object store
# gives some 50 to 100 MB/s, however fast the machine's network is.
PIECE = 1 << 24
# Bytes on their way, or waiting, beyond what is being read.
AHEAD = 1 << 25


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One request: its range, and its bytes once they are there."""

    begin: int
    end: int
    data: Future[bytes]


class RangeFile:
    """A read-only binary file. Threads may take turns, and not quite keep to the plan's order.

    Parameters
    ----------
    fetch
        Gives the bytes from the first position to before the second.
    executor
        Runs fetches beside the reader.
    size
        Bytes of the file.
    plan
        Ranges that will be read, in order. Others may be read too, when asked for.
    sure
        Whether all of the plan will be read. Otherwise no more is asked for ahead than has been
        read, so that a reader of only the first bytes does not fetch many more.
    """

    mode = "rb"

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        executor: Executor,
        size: int,
        plan: Iterable[Range] = (),
        *,
        sure: bool = True,
    ) -> None:
        self._fetch, self._executor, self._size = fetch, executor, size
        self._plan = list(_cut(plan))
        self._places = {begin: place for place, (begin, _) in enumerate(self._plan)}
        self._next = 0  # place in the plan of the first piece not asked for yet
        self._early: set[int] = set()  # places after it that have been asked for
        self._held: deque[_Piece] = deque()
        self._ahead = AHEAD if sure else 0
        self._position = 0
        self.closed = False
        self._look_ahead()

    def read(self, count: int = -1) -> bytes | memoryview:
        """The next bytes; as many as asked for, unless the file ends."""
        begin = min(self._position, self._size)
        end = self._size if count < 0 else min(begin + count, self._size)
        self._position = end
        pieces = self._ask(begin, end)
        self._look_ahead()
        if len(pieces) == 1:
            return self._take(pieces[0], begin, end)
        whole = memoryview(bytearray(end - begin))
        while pieces:
            piece = pieces.popleft()
            first, last = max(piece.begin, begin), min(piece.end, end)
            whole[first - begin : last - begin] = self._take(piece, first, last)
        return whole.toreadonly()

    def seek(self, position: int, whence: int = 0) -> int:
        """Move, as in any file."""
        self._position = position + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Never."""
        return False

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Drop what is on its way."""
        self.closed = True
        self._next = len(self._plan)
        while self._held:
            self._held.popleft().data.cancel()

    def _ask(self, begin: int, end: int) -> deque[_Piece]:
        """Pieces that cover a range; those not held are asked for, all at once."""
        pieces: deque[_Piece] = deque()
        while begin < end:
            piece = self._holding(begin) or self._planned(begin)
            if piece is None:
                piece = self._send(begin, min(begin + PIECE, end))
            pieces.append(piece)
            begin = piece.end
        return pieces

    def _holding(self, position: int) -> _Piece | None:
        return next((p for p in self._held if p.begin <= position < p.end), None)

    def _planned(self, position: int) -> _Piece | None:
        place = self._places.get(position, -1)
        if place < self._next or place in self._early:
            return None
        self._early.add(place)
        self._held.append(self._send(*self._plan[place]))
        return self._held[-1]

    def _look_ahead(self) -> None:
        """Ask for the next pieces of the plan, while there is room."""
        waiting = sum(piece.end - piece.begin for piece in self._held)
        while self._next < len(self._plan):
            if self._next in self._early:
                self._early.remove(self._next)
                self._next += 1
                continue
            begin, end = self._plan[self._next]
            waiting += end - begin
            if waiting > self._ahead:
                return
            self._next += 1
            self._held.append(self._send(begin, end))

    def _take(self, piece: _Piece, begin: int, end: int) -> memoryview:
        """Bytes of a piece; it is let go of once its last byte is taken."""
        data = memoryview(piece.data.result())[begin - piece.begin : end - piece.begin]
        if end == piece.end and piece in self._held:
            self._held.remove(piece)
            self._ahead = min(self._ahead + piece.end - piece.begin, AHEAD)
            self._look_ahead()
        return data

    def _send(self, begin: int, end: int) -> _Piece:
        return _Piece(begin, end, self._executor.submit(self._fetch, begin, end))


def _cut(plan: Iterable[Range]) -> Iterator[Range]:
    """Ranges in pieces that are asked for at once."""
    for begin, end in plan:
        for start in range(begin, end, PIECE):
            yield start, min(start + PIECE, end)
