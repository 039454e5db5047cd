"""Applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken
from iam.models.clients import Client
from iam.store.tables import clients, role_grants
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

_PLAIN: Final = (
    "auth_method",
    "assertion_alg",
    "jwks",
    "jwks_uri",
    "profile",
    "dpop_bound",
    "par_required",
    "level",
    "max_age",
    "back_channel_uri",
    "sector",
    "token_alg",
    "consent",
    "real_name_level",
)


def _client(row: Any, roles: frozenset[str]) -> Client:
    return Client(
        id=row.id,
        org_id=row.org_id,
        name=row.name,
        redirect_uris=tuple(row.redirect_uris.split()),
        logout_uris=tuple(row.logout_uris.split()),
        grants=frozenset(row.grants.split()),
        scopes=frozenset(row.scopes.split()),
        audiences=tuple(row.audiences.split()),
        roles=roles,
        secret_digest=None if row.secret_digest is None else bytes(row.secret_digest),
        first_party=row.first_party,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        **{name: getattr(row, name) for name in _PLAIN},
    )


class Clients:
    """Applications in the table ``iam_clients``; URIs hold no spaces, so spaces part them."""

    def add(self, tx: Transaction, client: Client) -> None:
        """Store it; raise ``NameTaken``."""
        try:
            tx.execute(
                clients.insert().values(
                    id=client.id,
                    org_id=client.org_id,
                    name=client.name,
                    redirect_uris=" ".join(client.redirect_uris),
                    logout_uris=" ".join(client.logout_uris),
                    grants=" ".join(sorted(client.grants)),
                    scopes=" ".join(sorted(client.scopes)),
                    audiences=" ".join(client.audiences),
                    secret_digest=client.secret_digest,
                    first_party=client.first_party,
                    created_at=client.created_at,
                    **{name: getattr(client, name) for name in _PLAIN},
                )
            )
        except IntegrityError as error:
            msg = "another application has this id"
            raise NameTaken(msg) from error

    def get(self, tx: Transaction, client_id: str) -> Client | None:
        """Return it, with its roles."""
        row = tx.execute(sa.select(clients).where(clients.c.id == client_id)).first()
        return None if row is None else _client(row, self._roles(tx, client_id))

    @staticmethod
    def _roles(tx: Transaction, client_id: str) -> frozenset[str]:
        query = sa.select(role_grants.c.role).where(
            role_grants.c.subject_id == client_id, role_grants.c.subject_kind == "client"
        )
        return frozenset(tx.execute(query).scalars())

    def with_redirect(self, tx: Transaction, ending: str) -> Sequence[Client]:
        """Return usable applications with a redirect URI that ends in ``ending``, by id."""
        query = sa.select(clients).where(
            clients.c.disabled_at.is_(None), clients.c.redirect_uris.contains(ending)
        )
        rows = tx.execute(query.order_by(clients.c.id)).all()
        found = [_client(row, self._roles(tx, row.id)) for row in rows]
        return [each for each in found if any(u.endswith(ending) for u in each.redirect_uris)]

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Client]:
        """Return applications by id."""
        query = sa.select(clients).where(clients.c.org_id == org_id)
        if (after := request.key(str)) is not None:
            query = query.where(clients.c.id > after[0])
        rows = tx.execute(query.order_by(clients.c.id).limit(request.limit + 1)).all()
        found = [_client(row, self._roles(tx, row.id)) for row in rows]
        return page_of(found, request.limit, [(client.id,) for client in found])

    def set_secret(self, tx: Transaction, client_id: str, digest: bytes) -> None:
        """Replace the secret."""
        tx.execute(clients.update().where(clients.c.id == client_id).values(secret_digest=digest))

    def disable(self, tx: Transaction, client_id: str) -> bool:
        """Disable it; False if it was or is unknown."""
        disabled = tx.execute(
            clients.update()
            .where(clients.c.id == client_id, clients.c.disabled_at.is_(None))
            .values(disabled_at=tx.now)
        )
        return bool(disabled.rowcount == 1)
