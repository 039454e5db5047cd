"""A province's e-seal system: a real HTTP server with keys and a CA of its own, and faults."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.verification import verify_seal
from kms.core.trust import Trust
from secops.crypto.hashes import sm3
from secops.kernel.clock import DAY
from tests.fakes.clock import FakeClock
from tests.fakes.sealing import PIXEL, Mint, Recipe, make_seal, make_signature, mint, new_mint

TOKEN = "a secret of the county and the province"


@dataclass
class Province:
    """``fault`` is what it does wrong; ``asked`` are the requests, ``made`` by idempotency key."""

    clock: FakeClock
    mint: Mint = field(default_factory=mint)
    fault: str = ""
    state: str = "active"
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def answer(self, method: str, path: str, key: str, body: Any) -> tuple[int, Any]:
        """Return status and JSON of one request that carried the right token."""
        self.asked.append((method, path, key))
        if self.failures:
            self.failures -= 1
            return 500, {"reason": "busy"}
        if self.fault in FAULTS:
            return FAULTS[self.fault]
        if key and key in self.made:
            return 200, self.made[key]
        answer = self._do(method, path, body)
        if key:
            self.made[key] = answer
        return 200, answer

    def _do(self, method: str, path: str, body: Any) -> Any:
        parts = path.strip("/").split("/")
        if parts == ["seals"]:
            reference = f"P/{len(self.orders) + 1} 号"
            self.orders[reference] = body
            return {"reference": reference}
        if parts[0] == "verifications":
            found = base64.b64decode(body["file"])
            document = base64.b64decode(body["document"]) if "document" in body else None
            evidence = Evidence(None if document is None else sm3(document))
            report = verify_seal(found, evidence, Trust(self.clock.now(), self.mint.anchors))
            return {"valid": report.valid, "reasons": ["省级\x1b[31m判定"]}
        reference = parts[1].replace("%2F", "/").replace("%20", " ").replace("%E5%8F%B7", "号")
        if method == "GET":
            seal = base64.b64encode(self.seal(reference)).decode()
            shown = seal if self.state == "active" else None
            said = "other" if self.fault == "another reference" else reference
            return {"reference": said, "state": self.state, "seal": shown, "reason": "待审"}
        return {"id": body["id"], "value": base64.b64encode(self._value(reference, body)).decode()}

    def recipe(self, reference: str) -> Recipe:
        order = self.orders[reference]
        name = "别的单位" if self.fault == "another seal" else order["name"]
        small = self.fault == "another size"
        return Recipe(
            version=order["format_version"] if self.fault != "version 1" else 1,
            mint=self.mint,
            name=f"{name}电子印章",
            size=(30, 30) if small else (42, 42),
            picture=PIXEL,
            es_id=sm3(reference.encode()).hex()[:32],
        )

    def seal(self, reference: str) -> bytes:
        found: bytes = self.made.setdefault(
            f"seal of {reference}", make_seal(self.recipe(reference))
        )
        return found[:-1] + bytes([found[-1] ^ 1]) if self.fault == "broken seal" else found

    def _value(self, reference: str, body: Any) -> bytes:
        recipe = self.recipe(reference)
        digest = bytes.fromhex(body["data_hash"])
        if self.fault == "wrong digest":
            digest = sm3(b"another")
        signed_at = self.clock.now()
        if self.fault == "old":
            signed_at -= DAY
        info = "/Other.xml" if self.fault == "another part" else body["property_info"]
        used = recipe.but(data_hash=digest, property_info=info, signed_at=signed_at)
        seal = self.seal(reference)
        if self.fault == "replayed" and "kept" in self.made:
            return self.made["kept"]
        if self.fault == "another signer":
            used = used.but(mint=new_mint())
        if self.fault == "changed seal":
            seal = make_seal(recipe.but(es_id="0" * 32))
        value = make_signature(used, seal=seal)
        self.made.setdefault("kept", value)
        if self.fault == "wrong signature":
            return value[:-1] + bytes([value[-1] ^ 1])
        return value


FAULTS: dict[str, tuple[int, Any]] = {
    "500": (500, {"reason": "down"}),
    "429": (429, {"reason": "busy"}),
    "302": (302, {}),
    "400": (400, {"reason": "no"}),
    "403": (403, {"reason": "印章已被省级停用"}),
    "409": (409, "conflict"),
    "list": (200, []),
    "empty": (200, {}),
    "not Base64": (200, {"id": "x", "value": "%%", "reference": "x", "state": "active"}),
    "a number": (200, {"id": 1, "value": 7, "reference": 7, "state": 1}),
}


@contextmanager
def serving(province: Province) -> Iterator[Province]:
    """Serve it on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers["authorization"] != f"Bearer {TOKEN}":
                status, answer = 401, {"reason": "token"}
            else:
                key = self.headers.get("idempotency-key", "")
                path = self.path.removeprefix("/api")
                status, answer = province.answer(self.command, path, key, body)
            if province.fault == "slow":
                province.released.wait(20)
                return
            content = json.dumps(answer).encode()
            if province.fault == "not JSON":
                content = b"<html>"
            if province.fault == "huge":
                content = b" " * (70 << 10) + content
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{province.url}/stolen")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server asks for

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    province.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    try:
        yield province
    finally:
        province.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
