"""`python -m leadline` is the command `leadline`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command; importing what it needs takes long enough to be interrupted, too."""
    try:
        from .cli import main as command
    except KeyboardInterrupt:
        print("leadline: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    return command()


if __name__ == "__main__":
    sys.exit(main())
