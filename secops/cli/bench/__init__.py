"""``secops bench PLANE``: figures with their circumstances, in homes of its own."""

from __future__ import annotations

from typing import Any, Final

import click

from secops.terminal.output import json_option, print_json, print_table, say

PLANES: Final = ("iam", "kms", "detectors", "ledger", "logs", "playbooks", "audits")


@click.command("bench")
@click.argument("plane", type=click.Choice(PLANES))
@click.option("--anomaly", is_flag=True, help="Of detectors: how well sign-ins are told apart.")
@click.option("--seeds", default=10, show_default=True, help="Organisations for --anomaly.")
@click.option(
    "--events",
    type=click.IntRange(100_000, 100_000_000),
    default=200_000,
    show_default=True,
    help="Of logs, audits: how many are stored, then searched or assessed"
    " (10,000,000 take 2 GB and some minutes).",
)
@click.option(
    "--entries",
    type=click.IntRange(1_000, 10_000_000),
    default=100_000,
    show_default=True,
    help="Of audits: how many entries of a ledger are made and verified.",
)
@click.option(
    "--stored",
    type=click.IntRange(1_000, 10_000_000),
    help="Of detectors: only so many stored and raw Windows events under SigmaHQ's rules.",
)
@json_option
def bench(  # noqa: PLR0913 - a command's options
    plane: str,
    *,
    anomaly: bool,
    seeds: int,
    events: int,
    entries: int,
    stored: int | None,
    as_json: bool,
) -> None:
    """Measure PLANE on this machine; the user's home is never opened.

    Rates are per CPU-second of the server where a unit doesn't say otherwise. Beside them
    stand this machine's openssl and disk, so that figures of two machines can be compared.

    Example: secops bench kms --json
    """
    from secops.cli.bench.anomaly import anomaly_figures  # noqa: PLC0415
    from secops.cli.bench.audits import audit_figures  # noqa: PLC0415
    from secops.cli.bench.evaluated import evaluated_figures  # noqa: PLC0415
    from secops.cli.bench.live import live_figures  # noqa: PLC0415
    from secops.cli.bench.machine import machine_figures, machine_state  # noqa: PLC0415
    from secops.cli.bench.planes import plane_figures  # noqa: PLC0415 - quick --help
    from secops.cli.bench.stored import json_figures, stored_figures  # noqa: PLC0415

    before = machine_state()
    if anomaly:
        own = anomaly_figures(plane, seeds)
    elif stored is not None:
        own = evaluated_figures(stored)
    else:
        own = plane_figures(plane)
    if plane == "logs":
        own = [*own, *json_figures(), *stored_figures(events), *live_figures()]
    if plane == "audits":
        own = [*own, *audit_figures(events, entries)]
    figures = [*own, *machine_figures()]
    circumstances = {"before": before, "after": machine_state()}
    if as_json:
        print_json({"figures": figures, "machine": circumstances})
        return
    _print(plane, figures)
    say(f"machine before: {before}")
    say(f"machine after: {circumstances['after']}")


def _print(plane: str, figures: list[dict[str, Any]]) -> None:
    rows = [
        (f["name"], f["value"], f["unit"], f["per_cpu_second"], f["circumstances"]) for f in figures
    ]
    columns = ("figure", "value", "unit", "per CPU-s", "circumstances")
    print_table(f"secops bench {plane}", columns, rows)
