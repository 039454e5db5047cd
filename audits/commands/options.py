"""Options that several commands of the plane take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is read."""
standard = click.option(
    "--standard", type=click.Choice(["gbt22239", "gbt39786"]), default="gbt22239", show_default=True
)
level = click.option("--level", type=click.IntRange(1, 4), default=3, show_default=True)
system = click.option("--system", "system_id", default="this", help="Default: this instance.")
any_system = click.option("--system", "system_id", default="", help="Default: all systems.")
version = click.option("--version", type=click.IntRange(1), required=True, help="As you read it.")
reason = click.option("--reason", required=True)
output = click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path)
)
language = click.option(
    "--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True
)
