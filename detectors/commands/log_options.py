"""Options that several commands on logs share."""

from __future__ import annotations

from typing import Final

import click

FORMATS: Final = (
    "auto", "ecs", "evtx", "jsonl", "syslog", "sshd", "auditd", "nginx", "apache", "cef",
    "keyvalue", "postgresql", "mysql", "dameng",
)  # fmt: skip
format_option = click.option(
    "--format", "format_name", type=click.Choice(FORMATS), default="auto", help="Log format."
)
zone_option = click.option("--timezone", help="Zone of times without one (Asia/Shanghai).")
encoding_option = click.option("--encoding", help="utf-8, utf-16, gb18030 …")
