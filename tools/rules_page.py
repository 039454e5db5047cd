#!/usr/bin/env python3
"""Write the catalogue of our own rules into docs/manual/rules.md, between its two marks."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Final

from detectors.commands.files import rule_files
from detectors.core.attack import techniques_of
from detectors.core.detection import Detector, detectors_of
from detectors.service.rules.rule_files import compile_rules

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "manual" / "rules.md"
BEGIN: Final = "<!-- catalogue -->"
END: Final = "<!-- end of catalogue -->"


def folder(detector: Detector) -> str:
    """Return the domain that a rule belongs to."""
    return Path(detector.header.path).parent.name


def row(detector: Detector) -> str:
    """Return a rule's line of the table."""
    header, correlation = detector.header, detector.correlation
    kind = correlation.type if correlation is not None else "—"
    techniques = " ".join(techniques_of(header.tags))
    title = f"{header.custom['title_zh']} · {header.title}"
    cells = (f"`{header.name}`", header.severity, header.status, kind, title, techniques)
    return f"| {' | '.join(cells)} |"


def catalogue() -> str:
    """Return the tables, a domain each."""
    found, _ = detectors_of(compile_rules(rule_files([ROOT / "rules" / "sigma"])))
    rules = sorted(found, key=lambda each: (folder(each), each.header.name))
    correlations = sum(each.correlation is not None for each in rules)
    lines = [f"{len(rules) - correlations} rules and {correlations} correlations.", ""]
    for name, members in groupby(rules, key=folder):
        own = list(members)
        lines += [f"### {name} ({len(own)})", ""]
        lines += ["| name | level | status | correlation | title | techniques |"]
        lines += ["|---|---|---|---|---|---|", *(row(each) for each in own), ""]
    return "\n".join(lines)


def main() -> None:
    """Replace what stands between the marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{catalogue()}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
