"""Who sits in the invented groups."""

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
        enrolments = []
        for group in groups:
            taken = min(self._seats_to_take(group), len(clients))
            members = self.chance.sample(clients, taken)
            for number, client in enumerate(members, 1):
                enrolments.append(self._seat(group, client, number))
            if group.kind is GroupKind.therapy:
                others = [client for client in clients if client not in members]
                enrolments += [self._screening(group, self.chance.choice(others))] if others else []
        self.session.flush()
        return enrolments

    def _seats_to_take(self, group: Group) -> int:
        if group.title.startswith(FULL):
            return group.seats
        if group.title.startswith(NEARLY_FULL):
            return group.seats - 1
        return self.chance.randint(1, max(1, group.seats // 2))

    def _seat(self, group: Group, client: Client, number: int) -> Enrolment:
        then = self.at - timedelta(days=self.chance.randint(1, 9))
        self._sign(group, client, then)
        state = EnrolmentState.seated if group.is_free else EnrolmentState.held
        enrolment = self._enrolment(group, client, state, then)
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

    def _screening(self, group: Group, client: Client) -> Enrolment:
        then = self.at - timedelta(days=1)
        enrolment = self._enrolment(group, client, EnrolmentState.screening, then)
        enrolment.why = "I would like to be among people who know this."
        return enrolment

    def _enrolment(
        self, group: Group, client: Client, state: EnrolmentState, then: datetime
    ) -> Enrolment:
        enrolment = Enrolment(
            group_id=group.id,
            client_id=client.id,
            state=state,
            handle=self.chance.choice(HANDLES),
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
                evidence={"typed_name": client.preferred_name, "box_ticked": True},
            )
        )
