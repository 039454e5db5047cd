"""``secops witness``: be a witness of other ledgers, in a process and with a key of its own.

It opens no home. Run it on a machine that the ledger's operators can't reach.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from secops.terminal.output import json_option, print_json, print_table, say

_FOLDER: Final = click.Path(file_okay=False, path_type=Path)
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_THREADS: Final = 8


@click.group("witness")
def witness() -> None:
    """Watch other installations' ledgers and cosign their checkpoints (C2SP tlog-witness)."""


@witness.command("init")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--name", required=True, help="The witness's name, e.g. witness.example.gov.cn/w1.")
def init(folder: Path, *, name: str) -> None:
    """Make a witness with a key of its own in DIR and print its verification key.

    Example: secops witness init /var/lib/witness --name audit-office.example.gov.cn/w1
    """
    from audits.adapters.witness_files import WitnessFolder  # noqa: PLC0415 - quick --help
    from audits.service.ledger.witness import require_witness_name  # noqa: PLC0415
    from secops.bridges.witnesses import open_witness  # noqa: PLC0415

    WitnessFolder.make(folder, require_witness_name(name))
    click.echo(open_witness(folder).vkey)
    say("put this key into ledger_witnesses of the installation that is to be watched")


@witness.command("trust")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.argument("vkey")
def trust(folder: Path, vkey: str) -> None:
    """Watch the ledger whose verification key is VKEY (a line of home/ledger/vkeys).

    Example: secops witness trust /var/lib/witness 'govsecops.local/…+1a2b3c4d+AQ…'
    """
    from audits.adapters.witness_files import WitnessFolder  # noqa: PLC0415 - quick --help
    from audits.service.ledger.witness import require_log_key  # noqa: PLC0415

    key = require_log_key(vkey)
    WitnessFolder(folder).trust(key.vkey)
    say(f"{key.name} is watched")


@witness.command("serve")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--listen", default="127.0.0.1:8081", show_default=True, help="ADDRESS:PORT.")
@click.option("--name", "host", help="The name by which ledgers call it, if not that address.")
@click.option("--tls", nargs=2, type=_FILE, help="Certificate chain and its key (PEM).")
def serve(folder: Path, *, listen: str, host: str | None, tls: tuple[Path, Path] | None) -> None:
    """Answer add-checkpoint until Ctrl-C.

    Plain HTTP is enough: what is sent is signed, and nothing in it is secret.

    Example: secops witness serve /var/lib/witness --listen 10.8.0.4:8081
    """
    from secops.bridges.witnesses import open_witness, serve_witness  # noqa: PLC0415
    from secops.web.server.serving import Listening  # noqa: PLC0415

    opened = open_witness(folder)
    address, _, port = listen.rpartition(":")
    if not port.isdigit() or not address:
        raise click.BadParameter("--listen is ADDRESS:PORT")
    cert, key = tls or ("", "")
    listening = Listening(
        addresses=(address.strip("[]"),),
        port=int(port),
        threads=_THREADS,
        tls_cert=str(cert),
        tls_key=str(key),
    )
    say(f"witness {opened.key.name} on {listen}, {len(opened.memory.logs())} keys of logs")
    serve_witness(opened, listening, host or address)


@witness.command("show")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@json_option
def show(folder: Path, *, as_json: bool) -> None:
    """Print the witness's key, the ledgers it watches and what it cosigned last.

    Example: secops witness show /var/lib/witness --json
    """
    from secops.bridges.witnesses import open_witness  # noqa: PLC0415 - quick --help

    opened = open_witness(folder)
    logs = opened.watched()
    if as_json:
        print_json(
            {
                "vkey": opened.vkey,
                "logs": [
                    {"origin": log.origin, "size": log.size, "checkpoint": log.note} for log in logs
                ],
            }
        )
        return
    rows = [(log.origin, "-" if log.size is None else log.size) for log in logs]
    say(opened.vkey)
    print_table("Ledgers watched", ("ledger", "entries cosigned"), rows)
