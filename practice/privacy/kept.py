"""What must be kept although its person asked for it to go, or may not go at all: by number.

For the records custodian, who answers for it: the kind of reason and the day, never what it is and
never whose. A number opens nothing by itself; the record behind it is looked up with a reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Client, User
from practice.paging import Leaf, leaf_of_columns
from practice.privacy.models import Because, LegalHold, Restriction

# Why, without what it is about: the custodian does not read worries about safety.
KINDS = {
    Because.clinical_record: "Record of care",
    Because.consent_proof: "Proof of what was agreed to",
    Because.payment_record: "Record of payments",
    Because.open_payment: "Until a payment is settled",
    Because.open_flag: "Until something open is closed",
    Because.legal_hold: "Legal hold",
}


@dataclass(frozen=True)
class KeptLine:
    """One reason for which something of one client's stays; `until` is None without a day."""

    client: Client
    because: Because
    since: datetime
    until: datetime | None

    @property
    def kind(self) -> str:
        return KINDS[self.because]


def kept_lines(session: Session, user: User, page: int) -> Leaf[KeptLine]:
    """By kind, the first to go first; what waits for something else than a day comes last."""
    leaf = leaf_of_columns(_by_client_and_kind(user), page)
    clients = _clients(session, (row.client_id for row in leaf.rows))
    lines = [
        KeptLine(clients[row.client_id], row.because, row.since, None if row.waits else row.until)
        for row in leaf.rows
    ]
    return Leaf(lines, leaf.number, leaf.pages)


def kinds_kept(session: Session, user: User) -> dict[str, int]:
    """{kind: of how many clients}, only the kinds there are, in the order of KINDS."""
    counted = (
        sa.select(Restriction.because, sa.func.count(Restriction.client_id.distinct()))
        .where(_about_others(Restriction, user))
        .group_by(Restriction.because)
    )
    counts = {row[0]: row[1] for row in session.execute(counted)}
    return {KINDS[one]: counts[one] for one in KINDS if one in counts}


def holds(session: Session, user: User) -> Sequence[LegalHold]:
    """Those that stand, the first first."""
    standing = sa.select(LegalHold).where(
        LegalHold.lifted_at.is_(None), _about_others(LegalHold, user)
    )
    return session.scalars(standing.order_by(LegalHold.placed_at, LegalHold.id)).all()


def _by_client_and_kind(user: User) -> sa.Select[Any]:
    until, all_rows = Restriction.until, sa.func.count()
    waits = (all_rows > sa.func.count(until)).label("waits")
    last = sa.func.max(until).label("until")
    return (
        sa.select(
            Restriction.client_id,
            Restriction.because,
            sa.func.min(Restriction.since).label("since"),
            last,
            waits,
        )
        .where(_about_others(Restriction, user))
        .group_by(Restriction.client_id, Restriction.because)
        .order_by(Restriction.because, waits, last, Restriction.client_id)
    )


def _about_others(table: Any, user: User) -> sa.ColumnElement[bool]:
    """Nobody is the custodian of their own record."""
    own = sa.select(Client.id).where(Client.user_id == user.id)
    return table.client_id.not_in(own)  # type: ignore[no-any-return]


def _clients(session: Session, keys: Iterable[int]) -> dict[int, Client]:
    found = session.scalars(sa.select(Client).where(Client.id.in_(set(keys))))
    return {client.id: client for client in found}
