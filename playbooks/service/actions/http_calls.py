"""http-api: a call through the guarded way out, which refuses inner addresses and redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from playbooks.errors import EffectUnknown, HttpRefused
from playbooks.models import PlannedStep, TargetState
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.errors import Invalid, SecopsError, Unavailable

_REFUSED: Final = 300
"""Answers from here on are failures: a redirect is not followed, so nothing was done."""


class HttpCall:
    """One GET or POST. The answer goes into out_args ``__status__`` and ``__body__`` only."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return where the call would go; calls nothing."""
        del org_id
        line = f"{args['method']} {args['base']}{args['path']}"
        return (TargetState(f"http:{args['base']}"[:200], args["base"], args["method"], "", line),)

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat what only reads; nobody knows what became of the rest."""
        return "idempotent" if step.args["method"] == "GET" else "neither"

    def perform(self, call: Call) -> Performed:
        """Call once; an answer of 300 and above is a failure."""
        args = call.step.args
        url, timeout = args["base"] + args["path"], call.step.timeout_ms / 1_000
        headers = {
            key.removeprefix("header:"): value
            for key, value in args.items()
            if key.startswith("header:")
        }
        outbound = self._s.ports.outbound
        try:
            if args["method"] == "GET":
                status, body = outbound.get(url, headers, timeout=timeout)
            else:
                headers["idempotency-key"] = call.order.key
                status, body = outbound.post(url, args["body"].encode(), headers, timeout=timeout)
        except (Unavailable, Invalid):
            raise  # nothing was sent
        except SecopsError as error:
            if args["method"] == "GET":
                raise
            raise EffectUnknown(error.code) from error
        if status >= _REFUSED:
            msg = f"status {status}"
            raise HttpRefused(msg)
        outputs = {"status": str(status), "body": body.decode(errors="replace")}
        return Performed(verified=True, details={"http_status": status}, outputs=outputs)

    def holds(self, call: Call) -> bool:
        """Return False: a call leaves nothing that could be read back."""
        del call
        return False
