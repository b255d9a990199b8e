from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

import matching
from core.audit import AuditEntry
from core.errors import NotAllowed, WrongState
from core.outbox import OutboxMessage
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.intake.queries import answers_of, latest_submitted
from practice.matches import operations
from practice.matches.models import MatchRequest, Proposal, RequestState
from practice.matches.operations import (
    AlreadyAsking,
    NoPlaceYet,
    NotOffered,
    TooLate,
    accept,
    decline,
    lapse,
    withdraw,
)
from practice.matches.queries import history_of, requests_that_wait, turned_down
from practice.matches.search import search_for
from practice.matches.sweeps import lapse_what_is_due, tell_who_waits
from practice.therapists.models import Therapist
from practice.therapists.operations import NoRoom
from tests.builders.accounts import make_client
from tests.builders.intake import STORY
from tests.builders.matches import EVERYTHING, make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


def ask(session, client, therapist, share=EVERYTHING, at=NOW):
    return operations.ask(
        session, client, therapist, share=share, name="Sam", actor=client.user, at=at
    )


def places_of(session, therapist):
    return session.scalar(sa.select(Therapist.open_places).where(Therapist.id == therapist.id))


def reload(session, request):
    session.expire_all()
    return session.get(MatchRequest, request.id)


def test_only_what_was_chosen_goes_along(session):
    request = make_request(session, share=("concerns",))
    assert request.shared == {"name": "Sam", "concerns": ["panic", "grief"]}


def test_budget_wishes_style_and_scores_cannot_be_shared(session):
    client, therapist = make_seeker(session), make_therapist(session)
    request = ask(
        session, client, therapist, share=("payment", "wishes", "style", "phq-9", "words")
    )
    assert request.shared == {"name": "Sam", "words": STORY}


def test_the_heaviest_concern_comes_first(session):
    client = make_seeker(session, concerns=["grief", "panic"])
    assert make_request(session, client).shared["concerns"] == ["panic", "grief"]


def test_an_answer_is_due_after_two_working_days_where_the_therapist_is(session):
    friday = datetime(2026, 12, 4, 18, 0, tzinfo=UTC)
    assert make_request(session, at=friday).answer_due_at == friday + timedelta(days=4)


def test_one_can_be_asked_at_a_time(session):
    client = make_seeker(session)
    make_request(session, client)
    with pytest.raises(AlreadyAsking):
        make_request(session, client)


def test_after_a_request_ran_out_somebody_else_can_be_asked_even_before_the_sweep(session):
    client = make_seeker(session)
    first = make_request(session, client)
    second = make_request(session, client, at=first.answer_due_at)
    assert first.state is RequestState.lapsed
    assert second.state is RequestState.sent


def test_without_a_place_nobody_can_be_asked(session):
    client = make_client(session, place="")
    with pytest.raises(NoPlaceYet):
        make_request(session, client)


@pytest.mark.parametrize(
    "columns",
    [{"places": ("US-OR",)}, {"youngest": 60}, {"services": ["couple"]}, {"most_acuity": 0}],
    ids=["licence", "age", "service", "scope"],
)
def test_somebody_who_may_not_see_them_cannot_be_asked_and_all_say_the_same(session, columns):
    with pytest.raises(NotOffered) as refusal:
        make_request(session, therapist=make_therapist(session, **columns))
    assert refusal.value.message == NotOffered.message


def test_a_wish_that_is_not_met_is_theirs_to_waive(session):
    dear = make_therapist(session, fee=90000)
    assert make_request(session, therapist=dear).state is RequestState.sent


def test_somebody_without_room_says_so(session):
    with pytest.raises(NoRoom):
        make_request(session, therapist=make_therapist(session, open_places=0))


def test_accepting_takes_one_place(session):
    request = make_request(session)
    accept(session, request, request.therapist.user, NOW)
    assert request.state is RequestState.accepted
    assert places_of(session, request.therapist) == 2


def test_accepting_twice_takes_one_place(session):
    request = make_request(session, accepted=True)
    with pytest.raises(WrongState):
        accept(session, request, request.therapist.user, NOW)
    assert places_of(session, request.therapist) == 2


def test_two_yeses_for_the_last_place_end_in_one(session):
    therapist = make_therapist(session, open_places=1)
    first, second = (make_request(session, therapist=therapist) for _ in range(2))
    accept(session, first, therapist.user, NOW)
    with pytest.raises(NoRoom):
        accept(session, second, therapist.user, NOW)
    assert places_of(session, therapist) == 0


def test_nobody_answers_for_another_therapist(session):
    request, other = make_request(session), make_therapist(session, name="Someone Else")
    for answer in (accept, decline):
        with pytest.raises(NotAllowed):
            answer(session, request, other.user, NOW)


def test_nobody_accepts_with_a_licence_that_has_ended_meanwhile(session):
    request = make_request(session)
    request.therapist.licences[0].in_force_until = NOW + timedelta(minutes=5)
    session.flush()
    with pytest.raises(NotOffered):
        accept(session, request, request.therapist.user, NOW + timedelta(minutes=5))


def test_after_the_deadline_it_is_too_late_to_accept(session):
    request = make_request(session)
    with pytest.raises(TooLate):
        accept(session, request, request.therapist.user, request.answer_due_at)


def test_a_withdrawn_yes_gives_the_place_back(session):
    request = make_request(session, accepted=True)
    withdraw(session, request, request.client.user, NOW)
    assert places_of(session, request.therapist) == 3


def test_withdrawing_before_an_answer_gives_nothing_back(session):
    request = make_request(session)
    withdraw(session, request, request.client.user, NOW)
    assert places_of(session, request.therapist) == 3


def test_an_unanswered_request_lapses_and_its_therapist_is_not_offered_again_at_once(session):
    request = make_request(session)
    assert not lapse(session, request, request.answer_due_at - timedelta(seconds=1))
    assert lapse(session, request, request.answer_due_at)
    assert request.lapsed_unanswered
    own = str(request.therapist.public_id)
    assert turned_down(history_of(request.client), request.answer_due_at) == {own}
    assert turned_down(history_of(request.client), NOW + timedelta(days=40)) == set()


def test_a_yes_without_a_time_lapses_after_five_working_days_and_gives_the_place_back(session):
    request = make_request(session, accepted=True)
    a_week = NOW + timedelta(days=7)
    assert not lapse(session, request, a_week - timedelta(seconds=1))
    assert lapse(session, request, a_week)
    assert places_of(session, request.therapist) == 3
    assert not request.lapsed_unanswered
    assert turned_down(history_of(request.client), a_week) == set()


def test_the_sweep_closes_what_is_due_and_only_that(session):
    due = make_request(session, at=NOW - timedelta(days=7))
    fresh = make_request(session)
    session.commit()
    lapse_what_is_due(NOW)
    assert reload(session, due).state is RequestState.lapsed
    assert reload(session, fresh).state is RequestState.sent


def test_taking_back_the_privacy_notice_ends_what_is_out(session):
    request = make_request(session, accepted=True)
    notice = signatures_of(request.client)
    [signature] = [s for s in session.scalars(notice) if s.purpose is Purpose.privacy_notice]
    revoke(session, signature, request.client.user, NOW)
    assert request.state is RequestState.withdrawn
    assert places_of(session, request.therapist) == 3


def test_every_step_is_written_down_without_a_word_of_what_was_shared(session):
    request = make_request(session, accepted=True)
    withdraw(session, request, request.client.user, NOW)
    steps = sa.select(AuditEntry).where(AuditEntry.subject_kind == "match_request")
    rows = session.scalars(steps.order_by(AuditEntry.id)).all()
    assert [row.action for row in rows] == [
        "request.sent",
        "request.accepted",
        "request.withdrawn",
    ]
    assert STORY not in str([row.details for row in rows])


def test_mails_name_nobody_and_nothing(session):
    request = make_request(session, accepted=True)
    withdraw(session, request, request.client.user, NOW)
    mails = [row.payload for row in session.scalars(sa.select(OutboxMessage))]
    assert {mail["to"] for mail in mails} == {
        request.client.user.email,
        request.therapist.user.email,
    }
    for mail in mails:
        text = mail["subject"] + mail["body"]
        assert request.therapist.name not in text
        assert not any(word in text.lower() for word in ("panic", "grief", "therap", "phq"))


def test_a_proposal_can_be_replayed_to_the_point(session):
    client = make_seeker(session)
    for name in ("Ana Alder", "Ben Birch", "Cora Cedar"):
        make_therapist(session, name=name, fee=len(name) * 1500)
    search = search_for(client, answers_of(latest_submitted(client)), NOW)
    offers = search.offers()
    kept = (client, search.values, offers.therapists, offers.weights, NOW)
    operations.keep_proposal(session, *kept)
    session.expire_all()

    kept = session.scalars(sa.select(Proposal)).one()
    values = matching.Client.from_json(kept.client_inputs)
    index = matching.Index(map(matching.Therapist.from_json, kept.shown), on=values.on)
    replayed = index.rank(values, matching.Weights(version=kept.weights_version))
    assert replayed.results == offers.results
    assert kept.engine_version == matching.ENGINE_VERSION


def test_the_same_proposal_is_kept_once(session):
    client, _ = make_seeker(session), make_therapist(session)
    search = search_for(client, answers_of(latest_submitted(client)), NOW)
    offers = search.offers()
    for _ in range(2):
        operations.keep_proposal(
            session, client, search.values, offers.therapists, offers.weights, NOW
        )
    assert session.scalar(sa.select(sa.func.count()).select_from(Proposal)) == 1


def test_whoever_asked_to_be_told_is_told_once_when_somebody_fits(session):
    client = make_seeker(session)
    operations.ask_to_be_told(session, client, NOW)
    session.commit()
    tell_who_waits(NOW)
    assert mails_to(session, client) == 0
    make_therapist(session)
    session.commit()
    for hours in range(2):
        tell_who_waits(NOW + timedelta(hours=hours))
    assert mails_to(session, client) == 1


def mails_to(session, client):
    session.expire_all()
    posted = session.scalars(sa.select(OutboxMessage)).all()
    return sum(message.payload["to"] == client.user.email for message in posted)


def test_scores_leave_nobody_out_once_the_consent_to_assessment_is_taken_back(session):
    client = make_seeker(session, phq_9_9=3)
    make_therapist(session, most_acuity=2)
    answers = answers_of(latest_submitted(client))
    assert search_for(client, answers, NOW).is_beyond_every_scope()
    [signature] = [
        s for s in session.scalars(signatures_of(client)) if s.purpose is Purpose.assessment
    ]
    revoke(session, signature, client.user, NOW)
    assert search_for(client, answers, NOW).finds_somebody()


@pytest.mark.parametrize(
    ("write", "refusal"),
    [
        ("UPDATE therapists SET open_places = 0", NoRoom),
        ("UPDATE licences SET state = 'suspended'", NotOffered),
        ("UPDATE applications SET state = 'suspended'", NotOffered),
    ],
)
def test_asking_looks_at_the_rows_themselves_whatever_a_process_has_kept(session, write, refusal):
    client, therapist = make_seeker(session), make_therapist(session)
    session.commit()
    answers = answers_of(latest_submitted(client))
    assert search_for(client, answers, NOW).finds_somebody()
    session.connection().execute(sa.text(write))
    assert search_for(client, answers, NOW).finds_somebody()
    with pytest.raises(refusal):
        ask(session, client, therapist)


def test_nobody_is_asked_once_the_privacy_notice_was_taken_back(session):
    """Also by a page that was sent before the other one was."""
    client, therapist = make_seeker(session), make_therapist(session)
    take_back_notice(session, client)
    with pytest.raises(NotOffered):
        ask(session, client, therapist)


def test_nothing_is_searched_for_whoever_took_the_privacy_notice_back(app, session):
    client = make_seeker(session)
    make_therapist(session)
    operations.ask_to_be_told(session, client, NOW)
    take_back_notice(session, client)
    session.commit()
    tell_who_waits(NOW)
    assert session.scalars(sa.select(OutboxMessage)).all() == []


def test_taking_back_the_notice_succeeds_though_the_therapist_says_no_meanwhile(
    session, monkeypatch
):
    request = make_request(session)

    def said_no(session, asked):
        asked.state = RequestState.declined

    monkeypatch.setattr(operations, "lock", said_no)
    take_back_notice(session, request.client)
    assert request.state is RequestState.declined


def test_the_sweep_looks_only_at_yeses_that_may_have_run_out(session):
    request = make_request(session, accepted=True)
    assert requests_that_wait(NOW + timedelta(days=4)) == []
    assert requests_that_wait(NOW + timedelta(days=7)) == [request.id]


def test_a_proposal_that_another_tab_kept_first_is_kept_once(session, monkeypatch):
    client = make_seeker(session)
    make_therapist(session)
    search = search_for(client, answers_of(latest_submitted(client)), NOW)
    offers = search.offers()
    kept = (client, search.values, offers.therapists, offers.weights, NOW)
    assert operations.keep_proposal(session, *kept) is not None
    monkeypatch.setattr(operations, "_is_kept", lambda *_: False)
    assert operations.keep_proposal(session, *kept) is None
    assert session.scalar(sa.select(sa.func.count()).select_from(Proposal)) == 1


def take_back_notice(session, client):
    signatures = session.scalars(signatures_of(client))
    [signature] = [one for one in signatures if one.purpose is Purpose.privacy_notice]
    revoke(session, signature, client.user, NOW)
