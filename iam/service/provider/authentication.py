"""Who calls the provider: an application by secret, by signed assertion, or public by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.core.rfc7515.jws import JwsRefused, json_object, read_jws
from iam.core.rfc7523.assertion import Expected, VerifiedAssertion, check_assertion
from iam.core.rfc9449.proof import VerifiedProof
from iam.errors import InvalidClient, InvalidDpopProof
from iam.models.clients import Client, ClientCredentials
from iam.service.means import Means
from iam.service.provider.client_keys import ClientKeys
from iam.service.provider.directory import ClientDirectory
from iam.service.provider.possession import KIND, PossessionService
from secops.kernel.clock import SECOND
from secops.kernel.transactions import Transaction

ASSERTION_KIND: Final = "assertion"
DEFAULT_ALGORITHM: Final = "ES256"
_NO_SCOPES: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class CallerService:
    """Authenticates applications at the provider's own endpoints."""

    means: Means
    directory: ClientDirectory
    keys: ClientKeys
    possession: PossessionService

    def identify(self, credentials: ClientCredentials) -> Client:
        """Return the application, whatever proof of a key came along.

        Raises ``InvalidClient`` or ``RateExceeded``.
        """
        if credentials.assertion is None:
            client = self.directory.authenticate(credentials)
            self._count(client)
            return client
        client, assertion = self._by_assertion(credentials)
        self._count(client)
        self._consume(assertion, None)
        return client

    def again(self, client: Client) -> bool:
        """Count a request of ``client``, which proved itself by the same secret before.

        False where its registration changed since, or it was ended. Raises ``RateExceeded``.
        """
        if self.directory.find(client.id) is not client:
            return False
        if self.means.parts.revocations.is_revoked("client", client.id):
            return False
        self._count(client)
        return True

    def authenticate(self, credentials: ClientCredentials) -> tuple[Client, str | None]:
        """Return the application and the thumbprint of the key it shows, if it shows one.

        Assertion and proof are used once, together. Raises ``InvalidClient``,
        ``InvalidDpopProof`` (also where the registration demands a proof), ``UseDpopNonce`` or
        ``RateExceeded``.
        """
        assertion = proof = None
        if credentials.assertion is None:
            client = self.directory.authenticate(credentials)
        else:
            client, assertion = self._by_assertion(credentials)
        self._count(client)
        if credentials.possession is not None:
            proof = self.possession.at_provider(credentials.possession)
        elif client.dpop_bound:
            msg = "the application is registered to prove possession of a key"
            raise InvalidDpopProof(msg)
        if assertion is not None or proof is not None:
            self._consume(assertion, proof)
        return client, None if proof is None else proof.thumbprint

    def _count(self, client: Client) -> None:
        """Count the request of a confidential application; anybody can pass for a public one."""
        if not client.public:
            self.means.rates.count(self.directory.actor(client, _NO_SCOPES))

    def _by_assertion(self, credentials: ClientCredentials) -> tuple[Client, VerifiedAssertion]:
        try:
            jws = read_jws(credentials.assertion or "")
            named = credentials.client_id or json_object(jws.payload).get("sub")
            client = self.directory.find(named) if isinstance(named, str) else None
            if client is None or client.auth_method != "private_key_jwt":
                raise InvalidClient
            keys = self.keys.keys_of(client, jws.key_id)
            assertion = check_assertion(jws, keys, self._expected(client))
        except JwsRefused as error:
            raise InvalidClient(str(error)) from error
        if self.means.parts.revocations.is_revoked("client", client.id):
            raise InvalidClient
        return client, assertion

    def _expected(self, client: Client) -> Expected:
        return Expected(
            client_id=client.id,
            issuer=self.means.options.issuer,
            algorithm=client.assertion_alg or DEFAULT_ALGORITHM,
            now=self.means.now // SECOND,
        )

    def _consume(self, assertion: VerifiedAssertion | None, proof: VerifiedProof | None) -> None:
        """Use both up by one unit of work: first come, only served."""
        use_once = self.means.stores.grants.use_once

        def work(tx: Transaction) -> None:
            if assertion is not None and not use_once(
                tx, ASSERTION_KIND, assertion.once, assertion.expires_at * SECOND
            ):
                msg = "the assertion was used before"
                raise InvalidClient(msg)
            if proof is not None and not use_once(tx, KIND, proof.once, proof.expires_at * SECOND):
                msg = "the proof was used before"
                raise InvalidDpopProof(msg)

        self.means.parts.transactions.run(work)
