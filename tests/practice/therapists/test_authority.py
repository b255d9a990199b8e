"""Who may be listed and where they may practise: dates, zones, supervisors, compacts."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.database import db
from practice.therapists.models import (
    ApplicationState,
    Level,
    Licence,
    LicenceKind,
    LicenceState,
    Therapist,
)
from practice.therapists.operations import NoRoom, give_back_place, take_place
from practice.therapists.queries import (
    authority_of,
    has_authority,
    licence_evidence,
    listable,
    possible_supervisors,
)
from tests.builders.therapists import EXPIRES_ON, make_licence, make_therapist
from tests.conftest import NOW

SECOND = timedelta(seconds=1)
# Midnight that ends 30 November 2027 in each zone, from the offsets of standard time.
MIDNIGHTS = {
    "US-WA": datetime(2027, 12, 1, 8, tzinfo=UTC),
    "US-NY": datetime(2027, 12, 1, 5, tzinfo=UTC),
    "US-HI": datetime(2027, 12, 1, 10, tzinfo=UTC),
    "US-GU": datetime(2027, 11, 30, 14, tzinfo=UTC),
}


def listed(at=NOW, place=None):
    return set(db.session.scalars(listable(at, place).with_only_columns(Therapist.name)))


def test_a_verified_therapist_is_listed_in_the_places_of_their_licences_alone(session):
    make_therapist(session, "Ada Berg", places=("US-WA", "US-OR"))
    make_therapist(session, "Cleo Dunn", places=("US-CA",))
    assert listed() == {"Ada Berg", "Cleo Dunn"}
    assert listed(place="US-OR") == {"Ada Berg"}
    assert listed(place="US-NV") == set()


@pytest.mark.parametrize("state", sorted(set(ApplicationState) - {ApplicationState.verified}))
def test_only_a_verified_application_is_listed(session, state):
    therapist = make_therapist(session, state=state, licence_state=LicenceState.verified)
    assert listed() == set()
    assert not has_authority(therapist.id, "US-WA", NOW)


@pytest.mark.parametrize("state", sorted(set(LicenceState) - {LicenceState.verified}))
def test_only_a_verified_licence_counts(session, state):
    therapist = make_therapist(session, licence_state=state)
    assert listed() == set()
    assert authority_of([therapist.id], NOW) == {therapist.id: {}}


@pytest.mark.parametrize("place", MIDNIGHTS)
def test_a_licence_ends_with_its_last_day_where_it_is_from(session, place):
    therapist = make_therapist(session, places=(place,), hours_confirmed_at=MIDNIGHTS[place])
    last, first_after = MIDNIGHTS[place] - SECOND, MIDNIGHTS[place] + SECOND
    assert date(2027, 11, 30) == EXPIRES_ON
    assert has_authority(therapist.id, place, last)
    assert listed(last, place) == {therapist.name}
    for too_late in (MIDNIGHTS[place], first_after):
        assert not has_authority(therapist.id, place, too_late)
        assert listed(too_late, place) == set()


def test_hours_that_were_not_confirmed_for_fourteen_days_take_a_therapist_off_the_list(session):
    confirmed = NOW - timedelta(days=14)
    therapist = make_therapist(session, hours_confirmed_at=confirmed)
    assert listed(NOW - SECOND) == {therapist.name}
    assert listed(NOW) == set()
    assert has_authority(therapist.id, "US-WA", NOW), "old hours are no reason to cancel a meeting"


def test_a_licence_taken_back_counts_no_longer(session):
    therapist = make_therapist(session)
    therapist.licences[0].withdrawn_at = NOW
    session.flush()
    assert listed() == set()
    assert licence_evidence([therapist.id], NOW) == {therapist.id: []}


def test_a_closed_account_is_not_listed(session):
    therapist = make_therapist(session)
    therapist.user.disabled_at = NOW
    session.flush()
    assert listed() == set()


def test_a_compact_gives_the_place_on_its_row_and_no_other(session):
    therapist = make_therapist(session, places=("US-WA",))
    make_licence(session, therapist, "US-TX", kind=LicenceKind.compact, compact="PSYPACT")
    assert set(authority_of([therapist.id], NOW)[therapist.id]) == {"US-WA", "US-TX"}
    assert listed(place="US-TX") == {therapist.name}
    assert listed(place="US-AZ") == set(), "membership of a compact authorises nobody"


def test_an_associate_practises_where_the_supervisor_is_licensed_too(session):
    supervisor = make_therapist(session, "Senior Person", places=("US-WA",))
    associate = make_therapist(
        session, "Junior Person", places=("US-WA", "US-OR"), supervisor=supervisor
    )
    assert listed(place="US-WA") == {"Senior Person", "Junior Person"}
    assert listed(place="US-OR") == set()
    assert set(authority_of([associate.id], NOW)[associate.id]) == {"US-WA"}


def test_the_right_of_an_associate_ends_with_the_supervisors(session):
    supervisor = make_therapist(session, "Senior Person", expires_on=date(2027, 1, 31))
    associate = make_therapist(session, "Junior Person", supervisor=supervisor)
    until = authority_of([associate.id], NOW)[associate.id]["US-WA"]
    assert until == supervisor.licences[0].in_force_until < associate.licences[0].in_force_until
    assert has_authority(associate.id, "US-WA", until - SECOND)
    assert not has_authority(associate.id, "US-WA", until)


def suspended(supervisor):
    supervisor.application.state = ApplicationState.suspended


def unlicensed(supervisor):
    supervisor.licences[0].state = LicenceState.revoked


def only_by_compact(supervisor):
    supervisor.licences[0].kind = LicenceKind.compact


def closed(supervisor):
    supervisor.user.disabled_at = NOW


@pytest.mark.parametrize("lost", [suspended, unlicensed, only_by_compact, closed])
def test_an_associate_who_loses_the_supervisor_is_listed_no_longer(session, lost):
    supervisor = make_therapist(session, "Senior Person")
    associate = make_therapist(session, "Junior Person", supervisor=supervisor)
    assert "Junior Person" in listed()
    lost(supervisor)
    session.flush()
    assert "Junior Person" not in listed()
    assert not has_authority(associate.id, "US-WA", NOW)


@pytest.mark.parametrize(
    "columns", [{"supervisor_confirmed_at": None}, {"supervisor": None, "level": "associate"}]
)
def test_an_associate_without_a_supervisor_who_agreed_is_not_listed(session, columns):
    supervisor = make_therapist(session, "Senior Person")
    associate = make_therapist(session, "Junior Person", supervisor=supervisor)
    for column, value in columns.items():
        setattr(associate, column, value)
    session.flush()
    assert listed() == {"Senior Person"}
    assert not has_authority(associate.id, "US-WA", NOW)


def test_an_associate_cannot_practise_under_a_compact(session):
    supervisor = make_therapist(session, "Senior Person", places=("US-WA", "US-TX"))
    associate = make_therapist(session, "Junior Person", places=("US-WA",), supervisor=supervisor)
    make_licence(session, associate, "US-TX", kind=LicenceKind.compact, compact="PSYPACT")
    assert listed(place="US-TX") == {"Senior Person"}
    assert set(authority_of([associate.id], NOW)[associate.id]) == {"US-WA"}


def test_an_associate_cannot_supervise(session):
    senior = make_therapist(session, "Senior Person")
    middle = make_therapist(session, "Middle Person", supervisor=senior)
    make_therapist(session, "Junior Person", supervisor=middle)
    assert listed() == {"Senior Person", "Middle Person"}


def test_of_two_licences_for_a_place_the_longer_one_counts(session):
    therapist = make_therapist(session, expires_on=date(2027, 1, 31))
    longer = make_licence(session, therapist, "US-WA", expires_on=date(2028, 1, 31))
    assert authority_of([therapist.id], NOW) == {therapist.id: {"US-WA": longer.in_force_until}}


def test_evidence_shows_what_was_found_and_nothing_that_has_run_out(session):
    therapist = make_therapist(session, places=("US-WA",))
    make_licence(session, therapist, "US-OR", expires_on=date(2026, 11, 29))
    make_licence(session, therapist, "US-ID", state=LicenceState.submitted)
    (shown,) = licence_evidence([therapist.id], NOW)[therapist.id]
    licence = session.scalars(sa.select(Licence).where(Licence.place == "US-WA")).one()
    assert (shown.place_name, shown.number) == ("Washington", licence.number)
    assert (shown.source, shown.checked_at) == (licence.found_source, licence.found_at)
    assert shown.in_force_until == licence.in_force_until


def test_a_supervisor_is_chosen_among_those_licensed_in_the_same_place(session):
    here = make_therapist(session, "Senior Here")
    make_therapist(session, "Senior Elsewhere", places=("US-NY",))
    make_therapist(session, "Senior Waiting", state=ApplicationState.submitted)
    associate = make_therapist(session, "Junior Person", supervisor=here)
    assert [one.name for one in possible_supervisors(associate, NOW)] == ["Senior Here"]


def test_the_last_place_is_taken_once(session):
    therapist = make_therapist(session, open_places=1)
    take_place(session, therapist.id)
    with pytest.raises(NoRoom):
        take_place(session, therapist.id)
    give_back_place(session, therapist.id)
    session.refresh(therapist)
    assert therapist.open_places == 1


def test_a_full_licence_lasts_as_long_as_it_says_whoever_supervised_before(session):
    supervisor = make_therapist(session, "Senior Person", expires_on=date(2027, 1, 31))
    grown = make_therapist(session, supervisor=supervisor, level=Level.licensed)
    until = authority_of([grown.id], NOW)[grown.id]["US-WA"]
    assert until == grown.licences[0].in_force_until
