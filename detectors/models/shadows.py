"""What a log store with an index keeps of an event beside it, so that it can be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

LONGEST: Final = 8_191
"""Bytes (UTF-8) of a folded text that are indexed at most."""

SEARCHED: Final = frozenset(
    {
        "CommandLine",
        "Image",
        "OriginalFileName",
        "ParentImage",
        "ParentCommandLine",
        "CurrentDirectory",
        "TargetObject",
        "Details",
        "TargetFilename",
        "ImageLoaded",
        "ScriptBlockText",
        "Payload",
        "ContextInfo",
        "Message",
        "Hashes",
        "Imphash",
        "Product",
        "Description",
        "Company",
        "Signature",
        "SignatureStatus",
        "User",
        "IntegrityLevel",
        "SubjectUserName",
        "TargetUserName",
        "ServiceName",
        "ImagePath",
        "ServiceFileName",
        "QueryName",
        "QueryResults",
        "DestinationHostname",
        "DestinationIp",
        "DestinationPort",
        "SourceIp",
        "SourceImage",
        "TargetImage",
        "PipeName",
        "CallTrace",
        "GrantedAccess",
        "ShareName",
        "RelativeTargetName",
        "ObjectName",
        "ObjectType",
        "AccessMask",
        "ProcessName",
        "NewProcessName",
        "ParentProcessName",
        "WorkstationName",
        "IpAddress",
        "LogonType",
        "Status",
        "Data",
        "Channel",
        "EventID",
        "Provider_Name",
        "Computer",
        "Initiated",
        "Contents",
        "HostApplication",
        "TaskName",
        "event.action",
        "event.outcome",
        "event.category",
        "event.dataset",
        "event.module",
        "event.code",
        "event.type",
        "host.name",
        "host.ip",
        "user.name",
        "user.id",
        "user.target.name",
        "group.name",
        "source.ip",
        "source.port",
        "source.domain",
        "destination.ip",
        "destination.port",
        "destination.domain",
        "client.ip",
        "server.ip",
        "process.name",
        "process.command_line",
        "process.executable",
        "process.args",
        "process.parent.name",
        "process.pid",
        "file.path",
        "file.name",
        "url.original",
        "url.path",
        "url.query",
        "url.domain",
        "http.request.method",
        "http.response.status_code",
        "http.request.referrer",
        "user_agent.original",
        "dns.question.name",
        "message",
        "log.source",
        "log.level",
        "service.name",
        "session.id",
        "type",
        "name",
        "exe",
        "key",
        "comm",
        "SYSCALL",
        "a0",
        "a1",
        "a2",
        "a3",
        "c-uri",
        "c-useragent",
        "cs-host",
        "cs-method",
        "cs-uri-stem",
        "cs-uri-query",
        "sc-status",
        "cs-user-agent",
        "cs-referer",
    }
)
"""Keys whose texts can be searched inside; of all others beginnings, ends and wholes only."""

ADDRESSES: Final = frozenset(
    {
        "source.ip",
        "destination.ip",
        "client.ip",
        "server.ip",
        "host.ip",
        "DestinationIp",
        "SourceIp",
        "IpAddress",
    }
)
NUMBERS: Final = frozenset(
    {
        "EventID",
        "DestinationPort",
        "LogonType",
        "source.port",
        "destination.port",
        "http.response.status_code",
        "process.pid",
        "sc-status",
        "user.id",
        "http.response.body.bytes",
        "event.duration",
    }
)


@dataclass(frozen=True, slots=True)
class Shadow:
    """Folded texts, addresses and numbers of an event by key.

    ``vague`` names the fields (at most 20) of which something could not be kept: such an
    event may match anything.
    """

    texts: Mapping[str, Sequence[str]]
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    vague: tuple[str, ...] = ()
