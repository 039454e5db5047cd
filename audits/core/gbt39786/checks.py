"""The automatic checks of GB/T 39786-2021 over a system as a whole, by unit.

What decides whether cryptography is in effect (D) is fatal; an algorithm that is not approved
(A) or keys kept otherwise than in a module (K) are not: the calculation takes half for each.
Which axis a fact speaks for is told by its name (``axes.py``). Keys in software never pass K.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.rules import Rule, all_of, is_so, none_of, ruled, some_of

_TLS_1_2: Final = 12
_KEYS: Final = (
    is_so("kms.custody/hardware", fatal=False),
    none_of("kms.custody/damaged_system_keys"),
    none_of("kms.policy/rotations_overdue", fatal=False),
)
"""K: keys lie in a cryptographic module, are whole, and are renewed in time."""
_ALGORITHMS: Final = (none_of("kms.policy/keys_not_approved", fatal=False),)
"""A: all keys are of SM algorithms."""
_SUITE: Final = (is_so("tls.scan/suite_approved", fatal=False),)
"""A of a channel: the handshake agreed on an SM suite (TLCP, RFC 8998)."""
_CHANNEL: Final = (
    none_of("tls.scan/listeners_plain"),
    is_so("tls.scan/listeners_encrypted"),
    some_of("tls.scan/probe_version", least=_TLS_1_2),
)


def _channel(*more: Rule) -> Check:
    return ruled(*_CHANNEL, *more, *_SUITE, *_KEYS)


PASSAGES: Final = ruled(
    some_of("door.log/records"),
    none_of("door.log/unprotected"),
    none_of("door.log/algorithms_not_approved", fatal=False),
    *_KEYS,
)
"""门禁记录 (6.1.2): each record is protected, as the door system reports."""
PEERS: Final = _channel()
"""通信实体 (6.2.1): the server proves itself by its certificate; no plain listener."""
CHANNEL_INTEGRITY: Final = _channel(some_of("tls.scan/probe_aead"))
"""通信完整性 (6.2.2): AEAD on the platform's own channel."""
CHANNEL_SECRECY: Final = _channel(none_of("tls.scan/flows_plain"))
"""通信保密 (6.2.3): no flow in clear."""
DEVICE_SIGN_IN: Final = ruled(
    some_of("iam.mfa/administrators"),
    all_of("iam.mfa/administrators_cryptographic", "iam.mfa/administrators"),
    none_of("iam.auth_log/administrator_sign_ins_single"),
    *_ALGORITHMS,
    *_KEYS,
)
"""设备登录 (6.3.1): each administrator holds a passkey, a certificate or a UKey."""
REMOTE_MANAGEMENT: Final = _channel()
"""远程管理通道 (6.3.2)."""
LOG_INTEGRITY: Final = ruled(
    is_so("ledger.integrity/valid"),
    none_of("log.integrity/mismatched"),
    is_so("ledger.integrity/algorithm_sm3"),
    *_KEYS,
)
"""设备日志 (6.3.5): digests of every segment stand in a ledger under signed SM3 roots."""
APPLICATION_SIGN_IN: Final = ruled(
    some_of("iam.mfa/active"),
    all_of("iam.mfa/cryptographic", "iam.mfa/active", fatal=False),
    all_of("iam.mfa/with_two", "iam.mfa/active"),
    *_ALGORITHMS,
    *_KEYS,
)
"""应用用户 (6.4.1): each user proves themself by cryptography."""
ACCESS_INFORMATION: Final = ruled(
    is_so("ledger.integrity/valid"),
    none_of("iam.policy/altered"),
    is_so("ledger.integrity/algorithm_sm3"),
    *_KEYS,
)
"""访问控制信息 (6.4.2): the policies in force are those whose digest was approved."""
DATA_IN_TRANSIT: Final = _channel(none_of("tls.scan/flows_plain"), none_of("kms.policy/weak_keys"))
"""数据传输保密 (6.4.4)."""
DATA_AT_REST: Final = ruled(
    is_so("db.encryption/sealed_fields"),
    none_of("db.encryption/graded_in_clear"),
    none_of("kms.policy/weak_keys"),
    *_ALGORITHMS,
    *_KEYS,
)
"""数据存储保密 (6.4.5)."""
TRANSIT_INTEGRITY: Final = _channel(some_of("tls.scan/probe_aead"), none_of("tls.scan/flows_plain"))
"""数据传输完整性 (6.4.6)."""
REST_INTEGRITY: Final = ruled(
    is_so("ledger.integrity/valid"),
    none_of("log.integrity/mismatched"),
    is_so("ledger.integrity/algorithm_sm3"),
    *_KEYS,
)
"""数据存储完整性 (6.4.7): key rows under their tags, logs and ledger under their digests."""
NON_REPUDIATION: Final = ruled(
    some_of("kms.signature/signatures"),
    none_of("kms.signature/algorithms_not_approved", fatal=False),
    none_of("kms.signature/without_time_stamp", fatal=False),
    *_KEYS,
)
"""不可否认 (6.4.8): acts with legal effect are signed, by SM2, with time stamps."""

CHECKS: Final[Mapping[str, Check]] = {
    "MP-6.1.2": PASSAGES,
    "MP-6.2.1": PEERS,
    "MP-6.2.2": CHANNEL_INTEGRITY,
    "MP-6.2.3": CHANNEL_SECRECY,
    "MP-6.3.1": DEVICE_SIGN_IN,
    "MP-6.3.2": REMOTE_MANAGEMENT,
    "MP-6.3.5": LOG_INTEGRITY,
    "MP-6.4.1": APPLICATION_SIGN_IN,
    "MP-6.4.2": ACCESS_INFORMATION,
    "MP-6.4.4": DATA_IN_TRANSIT,
    "MP-6.4.5": DATA_AT_REST,
    "MP-6.4.6": TRANSIT_INTEGRITY,
    "MP-6.4.7": REST_INTEGRITY,
    "MP-6.4.8": NON_REPUDIATION,
}
