"""Checks of nginx (8.1.2, 8.1.3, 8.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.rules import Ruled, at_most, is_so, none_of, ruled, some_of
from audits.models.collectors import FRESH_DAYS

TRANSPORT: Final = ruled(
    some_of("nginx.config/servers"),
    none_of("nginx.config/plain_servers"),
    none_of("nginx.config/weak_protocols"),
    none_of("nginx.config/weak_ciphers", fatal=False),
    none_of("nginx.config/plain_upstreams", fatal=False),
)
"""传输完整与保密 (8.1.2.2, 8.1.4.7, 8.1.4.8): no server in clear but to redirect, TLS ≥ 1.2."""
ADMINISTRATION: Final = ruled(
    none_of("nginx.config/plain_servers"),
    none_of("nginx.config/weak_protocols"),
)
"""远程管理防窃听 (8.1.4.1 c)."""
RECORDS: Final = ruled(
    some_of("nginx.config/servers"),
    none_of("nginx.config/logs_off"),
)
"""审计覆盖 (8.1.4.3 a): every server writes an access log."""
RECORD_FIELDS: Final = ruled(none_of("nginx.config/logs_incomplete"))
"""记录要素 (8.1.3.5 b, 8.1.4.3 b): time, client, user, request and outcome."""
SERVICES: Final = ruled(
    none_of("nginx.config/listings"),
    is_so("nginx.config/version_hidden", fatal=False),
)
"""多余服务 (8.1.4.4 b): no listing of folders, the version is not told."""
BASELINE: Final = ruled(at_most("nginx.collection/age_days", FRESH_DAYS))
"""基本配置信息 (8.1.10.8 a)."""

CHECKS: Final[Mapping[str, Ruled]] = {
    "L3-CNS1-06": TRANSPORT,
    "L3-CNS1-07": TRANSPORT,
    "L3-ABS1-17": RECORD_FIELDS,
    "L3-CES1-03": ADMINISTRATION,
    "L3-CES1-12": RECORDS,
    "L3-CES1-13": RECORD_FIELDS,
    "L3-CES1-18": SERVICES,
    "L3-CES1-25": TRANSPORT,
    "L3-CES1-27": TRANSPORT,
    "L3-MMS1-27": BASELINE,
}
