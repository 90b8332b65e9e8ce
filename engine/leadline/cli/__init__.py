"""The command `leadline`: one file a verb, parsing and printing only.

Exit codes: 0 fine, 1 a check found something, 2 wrong use or bad input.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from .check import check
from .compare import compare
from .demo import demo
from .export import export
from .infer import infer
from .merge import merge
from .output import FINE, WRONG, guarded, write
from .profile import profile
from .show import show
from .trend import trend

__all__ = ["app", "main"]

app = typer.Typer(
    name="leadline",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for verb in (profile, show, merge, compare, trend, infer, check, export, demo):
    app.command()(verb)


@app.callback(invoke_without_command=True)
def leadline(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Profile the logs of a model into a small snapshot file, and say what changed between two."""
    if version:
        write(f"leadline {metadata.version('leadline')}")
        raise typer.Exit(FINE)
    if context.invoked_subcommand is None:
        write(context.get_help())
        raise typer.Exit(WRONG)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (default: those of the process); return its exit code."""
    return guarded(lambda: app(args=arguments, prog_name="leadline", standalone_mode=False))
