"""A service that logs rows and exports them, told what to do on its standard input.

Prints its port, and after every line it was told how many rows it has logged: ``rows N`` logs N
ordinary rows, ``wrong N`` rows whose ages are texts and whose amounts have moved, ``flush`` writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import leadline as ll
from leadline.serve.prometheus import start_server


def row(number: int) -> dict[str, object]:
    """Ages 20 to 69, every tenth country unknown, durations of 1 to 100 ms.

    Shuffled alike, so that windows look alike wherever rows are cut.
    """
    return {
        "age": 20 + 19 * number % 50,
        "amount": float(617 * number % 1_000),
        "country": None if number % 10 == 0 else ("DE", "FR")[number % 2],
        "latency_seconds": (1 + 37 * number % 100) / 1_000,
    }


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    rows = [row(number) for number in range(5_000)]
    roles = {"latency_seconds": "latency"}
    reference = ll.profile({name: [each[name] for each in rows] for name in rows[0]}, roles=roles)
    monitor = ll.Monitor(
        "fraud", folder, every="1s", flush="500ms", roles=roles, reference=reference
    )
    monitor.export()
    say(start_server([0]).server_port)
    logged = 0
    for line in sys.stdin:
        what, _, count = line.partition(" ")
        for _ in range(int(count or 0)):
            given = row(logged)
            if what == "wrong":
                given |= {"age": "thirty", "amount": 5_000.0 + logged % 10}
            monitor.log(given)
            logged += 1
        monitor.flush()
        say(logged)
    monitor.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
