"""A gateway and a scheduler for the supervisor's tests: small, quick to start."""

from __future__ import annotations

import http.server
import os
import sys
import threading
from pathlib import Path

from secops.adapters.gateway import GatewayOptions


class _Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/die":
            os._exit(9)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def application(options: GatewayOptions) -> None:
    """Answer everything with 200, but die when asked for /die."""
    address = (options.addresses[0], options.port)
    with http.server.ThreadingHTTPServer(address, _Ok) as server:
        server.serve_forever()


def wait_for_the_end() -> None:
    """A scheduler with nothing to do."""
    threading.Event().wait()


def die_at_once(starts: Path) -> None:
    """A scheduler that falls over whenever it is started; ``starts`` gets a byte each time."""
    with starts.open("ab") as file:
        file.write(b".")
    sys.exit(1)
