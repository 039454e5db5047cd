"""Proofs of possession (DPoP): checked, used once, and compared with what a token is bound to."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from iam.core.rfc7515.jws import JwsRefused
from iam.core.rfc9449.nonce import nonce_at, nonce_fits
from iam.core.rfc9449.proof import Asked, VerifiedProof, read_proof
from iam.errors import InvalidDpopProof, PossessionRefused, UseDpopNonce
from iam.service.means import Means
from secops.kernel.access import Possession
from secops.kernel.clock import SECOND
from secops.kernel.waiting import about_to_wait

KIND = "dpop"


@dataclass(frozen=True, slots=True)
class PossessionService:
    """Answers whether whoever sends a request holds the key they say they hold."""

    means: Means

    def at_provider(self, possession: Possession) -> VerifiedProof:
        """Check a proof sent to the token endpoint; the caller still consumes it.

        Raises ``InvalidDpopProof``, or ``UseDpopNonce`` where nonces are demanded.
        """
        try:
            proof = self._read(possession, None)
        except JwsRefused as error:
            raise InvalidDpopProof(str(error)) from error
        if not self._nonce_fits(proof):
            msg = "the proof must hold a nonce of ours"
            raise UseDpopNonce(msg, dpop_nonce=self.nonce())
        return proof

    def at_resource(self, token: str, key: str, possession: Possession) -> None:
        """Consume a proof for ``token``, which is bound to ``key``; raise ``PossessionRefused``."""
        about_to_wait()  # for the database at the end: what is checked here is not checked twice
        try:
            proof = self._read(possession, token)
        except JwsRefused as error:
            raise PossessionRefused(str(error)) from error
        if not hmac.compare_digest(proof.thumbprint, key):
            msg = "the token is bound to another key"
            raise PossessionRefused(msg)
        if not self._nonce_fits(proof):
            msg = "the proof must hold a nonce of ours"
            raise PossessionRefused(msg, nonce=self.nonce())
        use_once = self.means.stores.grants.use_once
        first = self.means.parts.transactions.run(
            lambda tx: use_once(tx, KIND, proof.once, proof.expires_at * SECOND)
        )
        if not first:
            msg = "the proof was used before"
            raise PossessionRefused(msg)

    def nonce(self) -> str:
        """Return the nonce that the next proof may hold."""
        return nonce_at(self.means.keys.key("dpop-nonce"), self._now)

    def _read(self, possession: Possession, token: str | None) -> VerifiedProof:
        issuer = self.means.options.issuer
        asked = Asked(possession.method, issuer, possession.path, self._now, token)
        return read_proof(possession.proof, asked)

    def _nonce_fits(self, proof: VerifiedProof) -> bool:
        if proof.nonce is None:
            return not self.means.options.dpop_nonces
        return nonce_fits(self.means.keys.key("dpop-nonce"), proof.nonce, self._now)

    @property
    def _now(self) -> int:
        return self.means.now // SECOND
