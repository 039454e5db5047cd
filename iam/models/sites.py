"""Applications behind a proxy, and what the proxy asks and hears."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Site:
    """Part of a host that belongs to one application. ``prefix`` begins and ends with ``/``."""

    client_id: str
    scheme: str
    host: str
    prefix: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """A request that a proxy holds back: ``uri`` is its target as it came.

    ``cookies`` and ``token`` are what the browser or client sent along; ``address`` is theirs,
    empty where the proxy does not say it.
    """

    method: str
    host: str
    uri: str
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    request_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class SitePass:
    """The request may go through; ``headers`` tell the application who it is from."""

    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SiteStart:
    """Send the browser to ``location``; keep ``cookie`` under ``name`` until the callback."""

    location: str
    name: str
    cookie: str
    secure: bool


@dataclass(frozen=True, slots=True)
class SiteSession:
    """The session at a site: put ``cookie`` into the browser, go to ``return_to``."""

    name: str
    cookie: str
    secure: bool
    return_to: str
