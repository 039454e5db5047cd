"""Rates of the engines and of Transit's use cases, per CPU-second of this process.

What a caller gets over HTTP, with token, policy and durable ledger, is measured by
``secops bench kms`` around the running gateway; here stand the parts it is made of.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kms.service import KmsServices
    from secops.kernel.actors import Actor

_SECONDS: Final = 0.5
_MESSAGE: Final = b"m" * 256
_SIGNING: Final = ("sm2", "ecdsa-p256", "ed25519", "rsa-3072", "ml-dsa-65")
_ENCRYPTING: Final = ("aes256-gcm96", "sm4-gcm96")


def engine_figures() -> list[dict[str, Any]]:
    """Return signatures and verifications per CPU-second, engine by engine."""
    from secops.crypto import signatures  # noqa: PLC0415 - quick --help
    from secops.crypto.options import DEFAULT  # noqa: PLC0415

    found = []
    for algorithm in _SIGNING:
        key = signatures.private_key(algorithm, signatures.generate(algorithm))
        signature = key.sign(_MESSAGE, DEFAULT)
        public = key.public_key
        found += [
            _figure(f"{algorithm} sign", partial(key.sign, _MESSAGE, DEFAULT)),
            _figure(f"{algorithm} verify", partial(public.verify, signature, _MESSAGE, DEFAULT)),
        ]
    return found


def service_figures(services: KmsServices, keeper: Actor, user: Actor) -> list[dict[str, Any]]:
    """Return Transit's rates: request fields to answer and act, without HTTP and journal.

    ``keeper`` creates the keys ``bench-…`` and grants them to ``user``, who uses them.
    """
    from kms.models.keys import DEFAULT_OPERATIONS, KeyRequest  # noqa: PLC0415 - quick --help
    from kms.service.presenting import in_base64  # noqa: PLC0415

    fields = {"input": in_base64(_MESSAGE), "plaintext": in_base64(_MESSAGE)}
    transit = services.transit
    found = []
    for key_type in (*_SIGNING, *_ENCRYPTING):
        name = f"bench-{key_type}"
        services.keys.create_key(keeper, KeyRequest(name, key_type))
        services.key_control.grant_key(keeper, name, user.id, DEFAULT_OPERATIONS)
        use = transit.encrypt if key_type in _ENCRYPTING else transit.sign
        verb = "encrypt" if key_type in _ENCRYPTING else "sign"
        found.append(
            _figure(
                f"transit {verb} {key_type}",
                partial(use, user, name, fields),
                "with permission, grant, revocation and act; without HTTP and journal",
            )
        )
    return found


def _figure(
    name: str, work: Callable[[], object], circumstances: str = "one thread, 256-byte message"
) -> dict[str, Any]:
    work()
    count, started = 0, time.process_time()
    while True:
        for _ in range(20):
            work()
        count += 20
        if (spent := time.process_time() - started) >= _SECONDS:
            break
    return {
        "name": name,
        "value": round(count / spent),
        "unit": "operations/CPU-s",
        "per_cpu_second": True,
        "circumstances": circumstances,
    }
