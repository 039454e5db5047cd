"""Branch coverage has a floor: 100 % for each plane's core, 90 % overall. Prints what misses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

OVERALL = 90.0


def main(report: str) -> int:
    data = json.loads(Path(report).read_text())
    total = data["totals"]["percent_covered"]
    holes = {
        name: entry["summary"]["percent_covered"]
        for name, entry in data["files"].items()
        if "/core/" in name and entry["summary"]["percent_covered"] < 100.0
    }
    for name, percent in sorted(holes.items()):
        missing = data["files"][name]["missing_lines"]
        branches = data["files"][name].get("missing_branches", [])
        print(f"core below 100 %: {name} {percent:.1f} % lines {missing} branches {branches}")
    print(f"branch coverage: overall {total:.1f} % (floor {OVERALL} %)")
    print(f"core files below 100 %: {len(holes)}")
    return 1 if holes or total < OVERALL else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
