"""The daily count through the real tables: what is kept, of whom, and what goes again."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.outbox import OutboxMessage, drain
from practice.accounts.models import Client, Role, UserRole
from practice.consent.models import Purpose, Signature
from practice.matches.market.track_record import (
    TrackRecord,
    TrackRecordAgreement,
    TrackRecordReport,
    is_on,
    newest_report,
)
from practice.outcomes import counting, operations
from practice.outcomes.gate import obstacles
from practice.outcomes.learning import Learned
from practice.privacy.operations import erase
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.consent import make_revocation
from tests.builders.kept import kept
from tests.builders.outcomes import BEGAN, make_agreement, make_course
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

PHQ = "phq-9"


@pytest.fixture
def rosa(session):
    return make_therapist(session, "Rosa Almeida", at=BEGAN - timedelta(days=30))


def some_courses(session, therapist, number, *, better=0, random=None):
    random = random or Random(number)
    for _ in range(number):
        began = random.randrange(6, 24)
        ended = max(0, round(began / 2 + 3 - better + random.gauss(0, 3)))
        yield make_course(session, therapist, first={PHQ: began}, last={PHQ: min(27, ended)})


def counted(session, at=NOW):
    session.commit()
    counting.count(at)
    look_again(session)
    return newest_report(session)


def records(session):
    return {row.therapist_id: row.figures for row in session.scalars(sa.select(TrackRecord))}


def test_a_count_keeps_figures_of_all_and_of_those_who_agreed_alone(session, rosa):
    sven = make_therapist(session, "Sven Lind", at=BEGAN)
    make_agreement(session, rosa)
    for therapist in (rosa, sven):
        list(some_courses(session, therapist, 15))
    report = counted(session)
    assert (report.cases, report.figures["therapists"]) == (30, 2)
    assert set(records(session)) == {rosa.id}
    assert records(session)[rosa.id]["cases"] == 15
    [act] = session.scalars(sa.select(AuditEntry).where(AuditEntry.action.like("track_record.%")))
    assert (act.action, act.details) == ("track_record.counted", {"number": 30})


def test_what_is_kept_of_a_therapist_is_sealed(session, rosa):
    make_agreement(session, rosa)
    list(some_courses(session, rosa, 15))
    counted(session)
    [sealed] = session.scalars(sa.select(TrackRecord.figures_sealed))
    assert b"counting" not in sealed


def test_whoever_took_it_back_is_gone_with_the_next_count(session, rosa):
    make_agreement(session, rosa)
    list(some_courses(session, rosa, 15))
    assert counted(session).cases == 15
    make_revocation(session, signatures_of(session)[0])
    assert counted(session, NOW + timedelta(days=1)).cases == 14
    assert records(session)[rosa.id]["counting"] == {}


def test_whoever_was_forgotten_is_gone_with_the_next_count(session, rosa):
    episodes = list(some_courses(session, rosa, 3))
    client_id = episodes[0].client_id
    assert counted(session).cases == 3
    erase(session, session.get(Client, client_id), None, NOW)
    assert counted(session, NOW + timedelta(days=1)).cases == 2


def test_nothing_is_kept_of_a_therapist_who_left_and_was_forgotten(session, rosa):
    user = rosa.user
    make_agreement(session, rosa)
    list(some_courses(session, rosa, 15))
    counted(session)
    client = make_client(session, user=user)
    user.role_rows = [UserRole(role=Role.client, granted_at=NOW)]
    session.commit()
    erase(session, client, None, NOW)
    assert counted(session, NOW + timedelta(days=1)).cases == 15
    assert list(session.scalars(sa.select(TrackRecord.id))) == []


def test_what_was_kept_goes_when_the_agreement_or_the_cases_are_gone(session, rosa):
    make_agreement(session, rosa)
    list(some_courses(session, rosa, 15))
    counted(session)
    session.scalars(sa.select(TrackRecordAgreement)).one().taken_back_at = NOW
    counted(session, NOW + timedelta(days=1))
    assert records(session) == {}


def test_nothing_is_left_of_an_agreement_taken_back_while_figures_are_kept(
    session, app, http, rosa, monkeypatch
):
    make_agreement(session, rosa)
    list(some_courses(session, rosa, 15))
    tab, real, answers = app.test_client(), Learned.of_therapist, []
    sign_in(tab, rosa.user)
    session.commit()
    with ThreadPoolExecutor(1) as threads:

        def overtaken(learned, therapist_id):
            answers.append(threads.submit(tab.post, "/profile/track-record/agreement/end"))
            wait(answers, timeout=1)
            return real(learned, therapist_id)

        monkeypatch.setattr(Learned, "of_therapist", overtaken)
        counting.count(NOW)
        assert answers[0].result().status_code == 303
    look_again(session)
    assert records(session) == {}


@kept
def many_honest_courses(session):
    """All kept together: to look after each of three hundred at what it wrote takes far longer."""
    random = Random(9)
    therapists = [make_therapist(session, f"T {each}", at=BEGAN) for each in range(30)]
    for number, therapist in enumerate(therapists):
        better = 8 * (number / 29 - 0.5)
        list(some_courses(session, therapist, 10, better=better, random=random))


def test_enough_honest_cases_open_the_switch_and_a_worse_count_closes_it(session):
    many_honest_courses(session)
    report = counted(session)
    assert report.figures["verdict"] == "honest", report.figures
    assert obstacles(report, NOW) == []
    clara = make_user(session, roles=[Role.clinical_lead])
    ines = make_user(session, roles=[Role.administrator])
    operations.propose(session, "Let us learn.", clara, NOW)
    operations.agree(session, ines, NOW)
    assert is_on(session)
    for signature in signatures_of(session)[:9]:
        make_revocation(session, signature)
    counted(session, NOW + timedelta(days=1))
    assert not is_on(session)


def test_the_worker_counts_once_a_day_from_when_there_is_something_to_count(session, app, rosa):
    session.commit()
    counting.COUNT.post_when_due(NOW)
    assert waiting(session) == 0
    list(some_courses(session, rosa, 1))
    session.commit()
    counting.COUNT.post_when_due(NOW)
    counting.COUNT.post_when_due(NOW)
    assert waiting(session) == 1
    drain(app, NOW)
    look_again(session)
    assert session.scalar(sa.select(sa.func.count()).select_from(TrackRecordReport)) == 1
    counting.COUNT.post_when_due(NOW + timedelta(hours=23))
    assert waiting(session) == 0
    counting.COUNT.post_when_due(NOW + timedelta(hours=25))
    assert waiting(session) == 1


def test_it_counts_on_until_nothing_is_left_of_those_who_took_it_back(session, rosa):
    list(some_courses(session, rosa, 3))
    counted(session)
    for signature in signatures_of(session):
        make_revocation(session, signature)
    session.commit()
    counting.COUNT.post_when_due(NOW + timedelta(days=2))
    assert waiting(session) == 1


def signatures_of(session):
    """Everybody's agreement to learning."""
    wanted = sa.select(Signature).where(Signature.purpose == Purpose.learning)
    return session.scalars(wanted.order_by(Signature.id)).all()


def waiting(session):
    look_again(session)
    wanted = sa.select(sa.func.count()).select_from(OutboxMessage)
    return session.scalar(
        wanted.where(OutboxMessage.kind == counting.COUNT.kind, OutboxMessage.done_at.is_(None))
    )
