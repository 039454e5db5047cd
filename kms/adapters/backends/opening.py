"""From settings to backends. Nothing is opened here: a device is first asked when it's needed.

What talks to devices is imported only where one is configured: its C declarations are parsed then.
"""

from __future__ import annotations

from collections.abc import Callable

from kms.adapters.backends.software import SoftwareBackend
from kms.models.backends import BackendOptions, BackendSetup
from kms.ports.backends import KeyBackend
from kms.ports.keys import Custody
from secops.kernel.ids import Randomness


def open_backends(
    setup: BackendSetup, custody: Callable[[], Custody], randomness: Randomness
) -> tuple[KeyBackend, ...]:
    """Return a backend for each that is configured."""

    def opened(options: BackendOptions) -> KeyBackend:
        if options.kind == "software":
            return SoftwareBackend(custody, randomness, options)
        return open_device(options, randomness)

    return tuple(opened(options) for options in setup.backends)


def open_device(options: BackendOptions, randomness: Randomness) -> KeyBackend:
    """Return the token or machine of ``options``."""
    if options.kind == "sdf":
        from kms.adapters.backends.sdf import SdfBackend  # noqa: PLC0415 - heavy

        return SdfBackend(options)
    from kms.adapters.backends.pkcs11 import Pkcs11Backend  # noqa: PLC0415 - heavy

    return Pkcs11Backend(options, randomness)
