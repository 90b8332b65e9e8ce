"""pandas is never required, and never imported where it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
import leadline as ll
path = sys.argv[1]
profile = ll.profile(path, time="time_hour", every="1d", tz="America/New_York", segments=["origin"])
profile.save(sys.argv[2])
ll.compare(profile, ll.read(sys.argv[2])).to_dict()
profile.to_dict()
ll.trend(profile).to_dict()
assert "pandas" not in sys.modules
"""


def test_the_main_job_does_not_import_pandas(flights: Path, tmp_path: Path) -> None:
    file = min(flights.glob("*.parquet"))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file), str(tmp_path / "a.lead")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
