"""`leadline infer`: a first policy from a reference."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ..errors import InputError
from .options import Json, Quiet, Recover
from .output import write, write_json


def infer(
    reference: Annotated[str, typer.Argument(metavar="REF", help="Snapshot to take rules from.")],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Policy file to write, or - to print it."
        ),
    ],
    owner: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Who answers for violations.")
    ] = None,
    runbook: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to read what to do about them.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if there is one.")
    ] = False,
    recover: Recover = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a policy that a snapshot keeps, with comments, for a person to edit."""
    from ..policy import infer as infer_policy
    from ..report.text import counted, printable
    from ..snapshot import read

    if output == "-" and as_json:
        raise InputError("a policy is printed as TOML; give a file for --output with --json")
    if os.path.realpath(output) == os.path.realpath(reference):
        raise InputError(f"{output} is the snapshot; give another file for the policy")
    profile = read(reference, recover=recover)
    policy = infer_policy(profile, owner=owner, runbook=runbook)
    if output == "-":
        if not quiet:
            write(policy.to_toml().rstrip("\n"))
        return
    policy.write(output, force=force)
    columns, rules = len(profile.names), len(policy.rules)
    if as_json:
        figures = {"policy": output, "rows": profile.rows, "columns": columns, "rules": rules}
        write_json(figures)
    elif not quiet:
        told = f"{counted(rules, 'rule')} for {counted(columns, 'column')}"
        write(f"{printable(output)}: {told}, from {counted(profile.rows, 'row')}")
