"""Requests for tests, made by the operations that people use."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from practice.accounts.models import Client
from practice.intake.queries import answers_of, latest_submitted
from practice.matches import operations
from practice.matches.models import MatchRequest, Proposal
from practice.matches.search import search_for
from practice.therapists.models import Therapist
from tests.builders.accounts import make_client
from tests.builders.intake import make_intake
from tests.builders.kept import kept
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

EVERYTHING = ("concerns", "words", "hours", "languages")


@kept
def make_seeker(session: Session, *, at: datetime = NOW, **answers: Any) -> Client:
    """A client in Washington who finished the intake; single pages by name, as `make_intake`."""
    client = make_client(session, at=at)
    make_intake(session, client, at=at, **answers)
    return client


@kept
def make_request(
    session: Session,
    client: Client | None = None,
    therapist: Therapist | None = None,
    *,
    share: tuple[str, ...] = EVERYTHING,
    accepted: bool = False,
    at: datetime = NOW,
) -> MatchRequest:
    """A request that is out, accepted at the same instant when `accepted`."""
    client = client or make_seeker(session, at=at)
    therapist = therapist or make_therapist(session, at=at)
    request = operations.ask(
        session, client, therapist, share=share, name="Sam", actor=client.user, at=at
    )
    if accepted:
        operations.accept(session, request, therapist.user, at)
    return request


@kept
def make_list(session: Session, client: Client | None = None, *, at: datetime = NOW) -> Proposal:
    """A list as the page keeps it when it shows a client their matches; somebody must fit."""
    client = client or make_seeker(session, at=at)
    session.flush()
    search = search_for(client, answers_of(latest_submitted(client)), at)
    offers = search.offers()
    proposal = operations.keep_proposal(
        session, client, search.values, offers.therapists, offers.weights, at, offers.prices
    )
    assert proposal is not None, "this list is kept already"
    session.flush()
    return proposal
