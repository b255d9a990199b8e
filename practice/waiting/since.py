"""How a placement stands by now: who acted on it last, and when, in names."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from practice.accounts.models import Client, User
from practice.matches.reviews.cases import by_whom
from practice.waiting.models import UNDECIDED, Placement, PlacementState
from practice.waiting.queries import names_of

A_CLIENT = "A client"
SOMEBODY = "somebody who has left"


@dataclass(frozen=True)
class Since:
    """`by` confirmed or rejected it, or proposed `therapist` instead, or nobody, as `state` says.

    `at` is None where no lead has done anything to it. `reason` is that of a rejection.
    """

    placement: uuid.UUID
    state: PlacementState
    who: str
    therapist: str
    by: str
    at: datetime | None
    reason: str

    @property
    def is_open(self) -> bool:
        return self.state in UNDECIDED


def since_of(placements: Iterable[Placement], user: User) -> list[Since]:
    """As `user` reads it: what they did themselves is theirs."""
    placements = list(placements)
    names = names_of(each.proposed for each in placements if each.proposed)
    return [_since(each, names, user) for each in placements]


def name_of(client: Client) -> str:
    return client.preferred_name or A_CLIENT


def _since(placement: Placement, names: Mapping[str, str], user: User) -> Since:
    by, at = placement.decided_by, placement.decided_at
    if placement.state in UNDECIDED:
        by, at = placement.changed_by, placement.changed_at
    return Since(
        placement.public_id,
        placement.state,
        name_of(placement.client),
        names.get(placement.proposed or "", SOMEBODY),
        by_whom(by, user),
        at,
        placement.reason,
    )
