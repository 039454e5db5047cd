"""Which playbooks a playbook nests, however deep."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playbooks.core.cacao20.graph import steps_of
from playbooks.core.compiling import MAX_STEPS
from playbooks.models import CheckedPlaybook
from secops.kernel.errors import TooLarge


def nested_in(
    playbook: CheckedPlaybook, look_up: Callable[[str], CheckedPlaybook | None]
) -> Mapping[str, CheckedPlaybook]:
    """Return the playbooks below ``playbook`` by id; what isn't known is left out."""
    found: dict[str, CheckedPlaybook] = {playbook.id: playbook}
    waiting, asked = [playbook], {playbook.id}
    while waiting:
        document = waiting.pop().document
        for step in steps_of(document).values():
            name = step.get("playbook_id")
            if not isinstance(name, str) or name in asked:
                continue
            asked.add(name)
            if len(asked) > MAX_STEPS:
                msg = f"more than {MAX_STEPS} nested playbooks"
                raise TooLarge(msg)
            inner = look_up(name)
            if inner is not None:
                found[name] = inner
                waiting.append(inner)
    return found
