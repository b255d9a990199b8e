"""Who sits in the invented groups."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from practice.accounts.models import Client
from practice.consent.models import ConsentDocument, Purpose, Signature
from practice.groups.models import (
    Enrolment,
    EnrolmentState,
    Group,
    GroupKind,
    ScreeningDecision,
)
from practice.groups.operations import HOLD_LASTS
from practice.seed.groups import FULL, NEARLY_FULL
from practice.therapists.queries import authority_of

HANDLES = (
    "Alder Birch Cedar Dune Ember Fern Gale Heron Iris Juniper Kestrel Lark Maple North Otter "
    "Pebble Quill River Sorrel Thistle Umber Vale Willow Yarrow Zephyr"
).split()


@dataclass
class SeatMaker:
    """Fills groups, each as its plan says; seats that cost something are held until paid."""

    session: Session
    chance: Random
    at: datetime
    documents: dict[Purpose, ConsentDocument]

    def fill(self, groups: list[Group], clients: list[Client]) -> list[Enrolment]:
        """Seat some clients in each group; a therapy group also has requests to be screened."""
        by_place: dict[str, list[Client]] = defaultdict(list)
        for client in clients:
            by_place[client.place].append(client)
        enrolments = [one for group in groups for one in self._fill_one(group, by_place)]
        self.session.flush()
        return enrolments

    def _fill_one(self, group: Group, by_place: dict[str, list[Client]]) -> Iterator[Enrolment]:
        """Those who come, and one who asks to; each is where somebody who leads it is licensed."""
        places = self._places_of(group, by_place)
        able = [client for place in places for client in by_place[place]]
        taken = min(self._seats_to_take(group), len(able))
        asking = 1 if group.kind is GroupKind.therapy and len(able) > taken else 0
        people = self.chance.sample(able, taken + asking)
        handles = self.chance.sample(HANDLES, taken + asking)
        for number, (client, handle) in enumerate(zip(people, handles, strict=True), 1):
            if number <= taken:
                yield self._seat(group, client, handle, number)
            else:
                yield self._screening(group, client, handle)

    def _places_of(self, group: Group, by_place: dict[str, list[Client]]) -> list[str]:
        if not group.kind.needs_licensed_lead:
            return sorted(by_place)
        authorities = authority_of([lead.id for lead in group.professionals], self.at)
        return sorted(
            {place for places in authorities.values() for place in places} & set(by_place)
        )

    def _seats_to_take(self, group: Group) -> int:
        if group.title.startswith(FULL):
            return group.seats
        if group.title.startswith(NEARLY_FULL):
            return group.seats - 1
        return self.chance.randint(1, max(1, group.seats // 2))

    def _seat(self, group: Group, client: Client, handle: str, number: int) -> Enrolment:
        then = self.at - timedelta(days=self.chance.randint(1, 9))
        self._sign(group, client, then)
        state = EnrolmentState.seated if group.is_free else EnrolmentState.held
        enrolment = self._enrolment(group, client, handle, state, then)
        enrolment.seat_number = number
        if group.kind.is_screened:
            enrolment.screening = ScreeningDecision(
                decided_by_id=group.created_by_id, decided_at=then, invited=True
            )
        if group.is_free:
            enrolment.seated_at = then
        else:
            enrolment.held_until = self.at + HOLD_LASTS
        return enrolment

    def _screening(self, group: Group, client: Client, handle: str) -> Enrolment:
        then = self.at - timedelta(days=1)
        enrolment = self._enrolment(group, client, handle, EnrolmentState.screening, then)
        enrolment.why = "I would like to be among people who know this."
        return enrolment

    def _enrolment(
        self, group: Group, client: Client, handle: str, state: EnrolmentState, then: datetime
    ) -> Enrolment:
        enrolment = Enrolment(
            group_id=group.id,
            client_id=client.id,
            state=state,
            handle=handle,
            place=client.place,
            price=group.price,
            created_at=then,
            changed_at=then,
        )
        self.session.add(enrolment)
        return enrolment

    def _sign(self, group: Group, client: Client, then: datetime) -> None:
        self.session.add(
            Signature(
                document_id=self.documents[Purpose.group].id,
                purpose=Purpose.group,
                scope=f"group:{group.public_id}",
                scope_label=group.title,
                client_id=client.id,
                signer_id=client.user_id,
                signed_at=then,
                place=client.place,
                evidence={"typed_name": client.preferred_name, "ticked": True},
            )
        )
