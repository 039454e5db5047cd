"""Applications that use the provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from iam.models.real_name import NO_DEMAND
from secops.kernel.access import Possession

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AuthMethod = Literal["client_secret", "private_key_jwt", "none"]
ClientProfile = Literal["standard", "fapi2"]
ES256: Final = "ES256"
SM2_SM3: Final = "SGD_SM3_SM2"
"""SM2 with SM3, as GM/T 0125.1-2022 names it in JOSE headers (read second-hand)."""
TokenAlgorithm = Literal["ES256", "SGD_SM3_SM2"]
TOKEN_ALGORITHMS: Final[tuple[TokenAlgorithm, ...]] = (ES256, SM2_SM3)
ConsentRule = Literal["none", "ask"]
"""Whether people are asked what the application may learn and do: by two people's word not."""


@dataclass(frozen=True, slots=True)
class Client:
    """An application. ``auth_method`` "none" marks a public client (PKCE alone).

    ``first_party`` applications see the account's own identifier as ``sub``, all others a
    pairwise one, the same for those of one ``sector``. ``audiences``: whom its tokens may
    address; the first is the default. ``jwks`` is a JWK set as text. ``level`` and
    ``max_age`` (seconds) are what it demands of every sign-in, ``real_name_level`` (one of
    ``DEMANDS``) of the people themselves. ``token_alg`` signs its tokens.
    """

    id: str
    org_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    audiences: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    secret_digest: bytes | None = field(default=None, repr=False)
    logout_uris: tuple[str, ...] = ()
    first_party: bool = False
    created_at: int = 0
    disabled_at: int | None = None
    auth_method: AuthMethod = "none"
    assertion_alg: str | None = None
    jwks: str | None = None
    jwks_uri: str | None = None
    profile: ClientProfile = "standard"
    dpop_bound: bool = False
    par_required: bool = False
    level: int = 1
    max_age: int | None = None
    back_channel_uri: str | None = None
    sector: str | None = None
    token_alg: TokenAlgorithm = ES256
    consent: ConsentRule = "ask"
    real_name_level: str = NO_DEMAND

    @property
    def public(self) -> bool:
        """Whether it can't keep a secret."""
        return self.auth_method == "none"

    @property
    def rotates(self) -> bool:
        """Whether its refresh tokens are replaced at each use (FAPI 2.0 §5.3.2.1: not)."""
        return self.profile != "fapi2"


@dataclass(frozen=True, slots=True)
class NewClient:
    """What is needed to register an application.

    ``consent`` "none" counts where somebody else approved it: what one administrator registers
    asks.
    """

    id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset({"client_credentials"})
    scopes: frozenset[str] = frozenset()
    audiences: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    public: bool = False
    assertion_alg: str | None = None
    jwks: str | None = None
    jwks_uri: str | None = None
    profile: ClientProfile = "standard"
    dpop_bound: bool = False
    par_required: bool = False
    level: int = 1
    max_age: int | None = None
    back_channel_uri: str | None = None
    sector: str | None = None
    token_alg: TokenAlgorithm = ES256
    consent: ConsentRule = "none"
    real_name_level: str = NO_DEMAND

    @property
    def auth_method(self) -> AuthMethod:
        """How it will authenticate: by keys where it names some."""
        if self.public:
            return "none"
        return "private_key_jwt" if self.jwks or self.jwks_uri else "client_secret"


@dataclass(frozen=True, slots=True)
class IssuedClient:
    """A registered application; ``secret`` is shown once and kept nowhere."""

    client: Client
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """How a client presented itself: its id, and its secret or signed assertion.

    ``possession`` is the DPoP proof that came along, if any.
    """

    client_id: str
    secret: str | None = field(repr=False)
    assertion: str | None = field(default=None, repr=False)
    possession: Possession | None = None


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """An application somebody asks for; ``id`` is the approval's. ``metadata``: RFC 7591, JSON."""

    id: str
    org_id: str
    requester_id: str
    client_id: str
    metadata: str
    created_at: int
