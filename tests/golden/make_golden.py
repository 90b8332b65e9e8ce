"""Writes the golden files of the current format version; run once a version, never over old ones.

Usage: python tests/golden/make_golden.py [--force]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parents[1] / "engine")]

import snapshot_cases as cases  # noqa: E402
from leadline import snapshot  # noqa: E402
from leadline.profile import Profile, Settings  # noqa: E402
from leadline.snapshot import frames  # noqa: E402


def profiles() -> dict[str, Profile]:
    """What is stored, by file name."""
    closed = Settings(redacted=("amount", "serial", "country"), segments=("shop", "level"))
    return {
        "small": cases.small_profile(),
        "every-state": cases.profile(),
        "empty": Profile((), ()),
        "redacted": cases.profile(cases.small_cell(), cases.large_cell(), settings=closed),
    }


def write_journal(path: Path) -> None:
    """A journal of two frames of one cell and one of another."""
    with snapshot.JournalWriter(
        path, columns=cases.COLUMNS, settings=cases.SETTINGS, tags={"model": "fraud"}, sync=False
    ) as journal:
        for day in (0, 1, 0):
            journal.append(cases.small_cell(day))


def main() -> None:
    """Write every file and what it decodes to."""
    folder = FOLDER / f"format-{frames.MAJOR}.{frames.MINOR}"
    if folder.exists() and "--force" not in sys.argv:
        sys.exit(f"{folder} exists; golden files are kept for ever (--force before a release)")
    folder.mkdir(exist_ok=True)
    for name, profile in profiles().items():
        snapshot.write(profile, folder / f"{name}.lead")
    journal = folder / "journal.lead"
    journal.unlink(missing_ok=True)
    write_journal(journal)
    for path in sorted(folder.glob("*.lead")):
        expected = cases.described(snapshot.read(path))
        text = json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=True)
        path.with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
