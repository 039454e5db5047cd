"""Requests to the cluster: tried again where that can help, else one clear error."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

import orjson

from detectors.adapters.elastic.address import ElasticAddress
from detectors.errors import ElasticsearchUnavailable, LogStoreRefused, LogStoreUnavailable

T = TypeVar("T")
_NO_QUERY: Final[Mapping[str, str | int | bool]] = MappingProxyType({})
AGAIN: Final = frozenset({429, 502, 503, 504})
"""Answers after which the same request may well succeed."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_MOST_SAID: Final = 300


class Connection:
    """Asks one cluster. ``patience`` is for how many seconds a request is tried again."""

    def __init__(
        self, address: ElasticAddress, *, patience: float = 30.0, request_seconds: float = 30.0
    ) -> None:
        self.address = address
        self.patience = patience
        self.repeated = 0
        """How many requests had to be tried again."""
        self._seconds = request_seconds
        self._client: Any = None
        self._pid = 0
        self._lock = threading.Lock()
        self._pause = threading.Event()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        none_if: Sequence[int] = (),
        query: Mapping[str, str | int | bool] = _NO_QUERY,
    ) -> Any:
        """Return the JSON answer, None for a status in ``none_if``.

        Raises ``ElasticsearchUnavailable`` when patience is over, ``LogStoreRefused`` where the
        cluster understands and says no.
        """
        headers = {"accept": "application/json", "content-type": "application/json"}
        if isinstance(body, bytes):
            headers["content-type"] = "application/x-ndjson"

        def request() -> Any:
            return self._perform(method, path, query, headers, body)

        return self._persistently(request, none_if, self.patience)

    def mention(self, method: str, path: str, body: Any) -> None:
        """Make a request of which nothing depends, once; whatever comes of it."""
        headers = {"accept": "application/json", "content-type": "application/json"}

        def request() -> Any:
            return self._perform(method, path, {}, headers, body)

        with contextlib.suppress(LogStoreUnavailable, LogStoreRefused):
            self._persistently(request, (), 0.0)

    def close(self) -> None:
        """Let go of the sockets."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()

    def _perform(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        headers: Mapping[str, str],
        body: Any,
    ) -> Any:
        answer = self._open().perform_request(
            method, path, params=dict(query) or None, headers=dict(headers), body=body
        )
        return answer.body

    def _open(self) -> Any:
        """Return the client of this process; a child has sockets of its own."""
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client, self._pid = _client(self.address, self._seconds), os.getpid()
            return self._client

    def _persistently(
        self, request: Callable[[], T], none_if: Sequence[int], patience: float
    ) -> T | None:
        import elastic_transport  # noqa: PLC0415 - heavy: only with this store
        from elasticsearch import ApiError  # noqa: PLC0415 - as above

        deadline = time.monotonic() + patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return request()
            except ApiError as error:
                status = error.meta.status
                if status in none_if:
                    return None
                said = said_by(error.body)
                if status not in AGAIN:
                    raise LogStoreRefused(f"{status}: {said}", status=status) from None
                problem = f"it answers {status}: {said}"
            except elastic_transport.TransportError as error:
                if "CERTIFICATE_VERIFY_FAILED" in repr((error, error.errors)):
                    raise LogStoreRefused(
                        "its certificate is not of a CA that is trusted"
                    ) from None
                # the text of a transport error may hold the URL, never the password
                problem = f"{type(error).__name__}: {_first_line(error)}"
            if time.monotonic() + pause > deadline:
                raise ElasticsearchUnavailable(problem[:_MOST_SAID])
            self.repeated += 1
            self._pause.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def said_by(body: Any) -> str:
    """Return what an error answer says, in one line."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        causes = error.get("root_cause") or [error]
        reasons = [f"{cause.get('type')}: {cause.get('reason')}" for cause in causes[:1]]
        caused = error.get("caused_by")
        if isinstance(caused, dict):
            reasons.append(str(caused.get("reason")))
        return " / ".join(reasons)[:_MOST_SAID]
    return str(error)[:_MOST_SAID]


def lines(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return ``records`` as the lines of a bulk or multi request."""
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def _client(address: ElasticAddress, seconds: float) -> Any:
    import elastic_transport  # noqa: PLC0415 - heavy: only with this store
    from elasticsearch import Elasticsearch  # noqa: PLC0415 - as above

    # each failed request as a warning of its own: the store's errors and alert say it better
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    options: dict[str, Any] = {
        "request_timeout": seconds,
        "max_retries": len(address.hosts) - 1,  # another node at once, then patience
        "retry_on_timeout": False,
        "retry_on_status": (),
        "http_compress": False,  # bandwidth is there, processor time is not
        "node_class": elastic_transport.Urllib3HttpNode,
        "dead_node_backoff_factor": 0.5,
        "max_dead_node_backoff": 5,
    }
    if address.api_key:
        options["api_key"] = address.api_key
    elif address.user:
        options["basic_auth"] = (address.user, address.password)
    if address.authority is not None:
        options["ca_certs"] = str(address.authority)
    return Elasticsearch(list(address.hosts), **options)
