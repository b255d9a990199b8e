"""A record is opened in an emergency, both ways; and an open tab loses what was taken back."""

from datetime import timedelta

import pytest

from practice.accounts.models import Role
from practice.care.models import Episode
from tests.builders.accounts import make_client
from tests.builders.care import make_episode
from tests.builders.intake import STORY, make_intake
from tests.journeys.people import (
    DESK,
    Anybody,
    Browse,
    add_therapist,
    add_user,
    address_of,
    building,
    sign_in,
)
from tests.journeys.town import Town

WHY = "Their therapist has been in hospital since Monday, and they have called twice."
CLOSED = "We could not find that page"


@pytest.fixture
def sam(town: Town) -> str:
    """Sam is in Rosa's care; Ines, Clara and Noor work here. Returns the address of the record."""
    at = town.clock.now()
    with building(town) as session:
        add_user(town, "Ines Ward", Role.administrator, session=session)
        add_user(town, "Clara Whitfield", Role.clinical_lead, session=session)
        add_user(town, "Noor Haddad", Role.duty_clinician, session=session)
        user = add_user(town, "Sam Doe", Role.client, session=session)
        client = make_client(session, user=user, at=at)
        make_intake(session, client, at=at)
        rosa = add_therapist(town, "Rosa Almeida", session=session)
        episode = make_episode(session, client, rosa, at=at)
        assert isinstance(episode, Episode)
        return f"/caseload/{episode.public_id}"


def test_a_second_person_opens_it_for_an_hour_and_the_client_reads_who(
    town: Town, browse: Browse, sam: str
) -> None:
    ines, clara = browse(width=DESK), browse(width=DESK)
    sign_in(ines, "Ines")
    ask_to_open(ines)
    assert ines.sees("It waits for a second person")
    assert not ines.sees(address_of("Sam"))
    record = f"{ines.address}/record"
    ines.open(record)
    assert ines.heading == CLOSED
    sign_in(clara, "Clara")
    allow(clara)
    ines.open(record)
    assert ines.sees(STORY)
    assert ines.sees("60 minutes are left")
    town.clock.move(timedelta(minutes=14))
    ines.open(record)
    assert ines.sees("46 minutes are left")
    ines.press("I have seen enough: close it")
    ines.open(record)
    assert ines.heading == CLOSED
    assert_sam_is_told(
        town, browse, "Ines Ward, administrator", "their therapist cannot be reached"
    )


def test_in_danger_a_clinician_opens_at_once_and_the_lead_reviews(
    town: Town, browse: Browse, sam: str
) -> None:
    noor, clara = browse(width=DESK), browse(width=DESK)
    before = len(town.mails_to(address_of("Sam")))
    sign_in(noor, "Noor")
    noor.open("/emergency")
    noor.follow("Somebody is in danger now")
    noor.fill("Their e-mail address or number", address_of("Sam"))
    noor.fill("What makes you think that somebody is in danger now", WHY)
    noor.tick("I know that the clinical lead reviews this, and the client is told")
    noor.press("Open the record now")
    assert noor.sees(STORY)
    assert noor.has_link(address_of("Sam"))
    assert len(town.mails_to(address_of("Sam"))) == before
    sign_in(clara, "Clara")
    assert clara.heading == "One thing waits for your word"
    clara.follow("Look at it")
    clara.follow(clara.texts("h3 a")[0])
    assert clara.sees("The record was read once")
    clara.tick("Yes, it was justified")
    clara.fill("What that rests on", "They had said so on the telephone, and were found.")
    clara.press("Keep my review")
    assert_sam_is_told(
        town, browse, "Noor Haddad, duty clinician", "somebody’s life may be in danger"
    )


def test_a_consent_taken_back_empties_the_therapists_open_tab(
    town: Town, browse: Browse, sam: str
) -> None:
    rosa, client = browse(width=DESK), browse()
    sign_in(rosa, "Rosa")
    rosa.open(sam)
    assert rosa.sees(STORY)
    sign_in(client, "Sam")
    take_back_the_treatment_consent(client)
    # The tab still shows what it had loaded; whatever is done in it finds nothing more.
    assert rosa.sees(STORY)
    rosa.follow("End this care")
    assert rosa.heading == CLOSED
    rosa.open(sam)
    assert rosa.heading == CLOSED
    assert not rosa.sees(STORY)
    rosa.open("/caseload")
    assert rosa.sees("Nobody is in your care")
    rosa.follow("Sam")
    assert rosa.heading == "Closing notes for Sam"
    assert rosa.sees("30 days are left")
    assert not rosa.sees(STORY)
    rosa.fill("Closing note", "We parted by their wish, after one meeting was booked.")
    rosa.press("Keep this note")
    assert rosa.sees("We parted by their wish")


def ask_to_open(ines: Anybody) -> None:
    ines.open("/emergency")
    ines.follow("Ask to open a record")
    ines.fill("Their e-mail address or number", address_of("Sam"))
    ines.tick("Their therapist cannot be reached")
    ines.fill("What has happened, and what you need to see", WHY)
    ines.press("Ask a second person")
    assert ines.sees("Please confirm this first.")
    # Nothing typed is lost.
    ines.tick("I know that the client is told who opened their record, and why")
    ines.press("Ask a second person")


def allow(clara: Anybody) -> None:
    clara.open("/today")
    assert clara.heading == "One thing waits for your word"
    clara.follow("Look at it")
    clara.follow(clara.texts("h3 a")[0])
    assert clara.sees(WHY)
    assert not clara.sees(address_of("Sam"))
    clara.tick("Yes, for sixty minutes")
    clara.press("Give my answer")
    assert clara.sees("Your answer is kept, and they are told.")


def take_back_the_treatment_consent(client: Anybody) -> None:
    client.open("/consents")
    # The newest stands first.
    client.follow("Take it back")
    assert client.sees("Rosa Almeida")
    client.press("Take it back")


def assert_sam_is_told(town: Town, browse: Browse, who: str, why: str) -> None:
    mail = town.mails_to(address_of("Sam"))[-1]
    assert mail.subject == "Something is waiting for you at Attune"
    assert "record" not in mail.body
    client = browse()
    sign_in(client, "Sam")
    client.open("/today")
    assert client.sees("Your record was opened in an emergency")
    assert client.sees(who)
    assert client.sees(why)
    assert not client.sees(WHY)
    client.follow("See who opened what of yours")
    assert client.sees("Your record, opened in an emergency")
