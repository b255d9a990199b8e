"""The schedule at the clock's edges: nothing goes a second early, and a hold stops it."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from billing.models import Order, Payer
from core import erasures, keys
from core.audit import AuditEntry
from core.clock import FrozenClock
from core.database import Base, db, unit_of_work
from core.erasures import erase, lines_of
from core.keys import Realm
from core.mail import KeptMail, send_mail
from core.outbox import OutboxMessage, drain
from practice.accounts.models import (
    Client,
    EmailChange,
    Role,
    SignInAttempt,
    SignInSession,
    User,
    UserRole,
)
from practice.accounts.operations import sign_up
from practice.appointments.models import Appointment, AppointmentState
from practice.care import operations as care
from practice.care.emergency.models import EmergencyOpening, OpeningReview
from practice.care.emergency.operations import open_in_danger
from practice.care.models import EndReason, Episode
from practice.consent import operations as consents
from practice.consent.models import Purpose, Signature
from practice.groups.models import Enrolment, EnrolmentState, GroupKind
from practice.intake.models import Assessment, Intake, RiskFlag
from practice.matches.models import MatchRequest
from practice.privacy import operations, schedule
from practice.privacy.duties import DUTIES
from practice.privacy.models import ErasureRequest, LegalHold, RetentionRun
from practice.privacy.queries import standing_signatures
from practice.privacy.retention import (
    SCHEDULE,
    YEARS_OF_RECORD,
    Rule,
    minus_years,
    plus_years,
    record_until,
)
from practice.privacy.schedule import KEEPING, erase_what_is_due, keep_schedule, preview
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.billing import make_order
from tests.builders.care import make_episode
from tests.builders.groups import make_enrolment, make_group
from tests.builders.intake import make_duty_clinician, make_flag, make_intake
from tests.builders.matches import make_seeker
from tests.conftest import NOW
from tests.journeys.street import Street
from tests.practice.privacy.test_erasing import close_flags

SECOND = timedelta(seconds=1)
OWNER = uuid.UUID("3f2b8c1e-5a7d-4e0f-9c6b-1d2e3f4a5b6c")
Plant = Callable[[Session], tuple[type[Base], datetime]]


def unfinished(session: Session) -> tuple[type[Base], datetime]:
    make_intake(session, submitted=False)
    return Intake, NOW + timedelta(days=90)


def unconfirmed(session: Session) -> tuple[type[Base], datetime]:
    sign_up(session, "new@example.test", password_hash="x", role=Role.client, at=NOW)
    return User, NOW + timedelta(days=30)


def mail(session: Session) -> tuple[type[Base], datetime]:
    session.add(KeptMail(sent_at=NOW, to="a@example.test", subject="s", body="b"))
    return KeptMail, NOW + timedelta(days=30)


def attempt(session: Session) -> tuple[type[Base], datetime]:
    session.add(SignInAttempt(counted="x", at=NOW))
    return SignInAttempt, NOW + timedelta(days=1)


def browser(session: Session) -> tuple[type[Base], datetime]:
    user = make_client(session, consents=False).user
    session.add(
        SignInSession(
            token_hash="t", user_id=user.id, created_at=NOW, last_seen_at=NOW, ended_at=NOW,
            idle_until=NOW, expires_at=NOW, proved_at=NOW,
        )
    )  # fmt: skip
    return SignInSession, NOW + timedelta(days=30)


def ended_care(session: Session) -> tuple[type[Base], datetime]:
    """In Washington: eight years."""
    episode = make_episode(session)
    care.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
    return Episode, plus_years(NOW, 8)


def seat_in_a_group(session: Session) -> tuple[type[Base], datetime]:
    group = make_group(session, kind=GroupKind.therapy)
    make_enrolment(
        session, group, make_client(session), EnrolmentState.left, seated_at=NOW, left_at=NOW
    )
    return Enrolment, plus_years(NOW, 8)


def closed_flag(session: Session) -> tuple[type[Base], datetime]:
    """In Oregon: seven years. Its intake is finished, so no other rule comes first."""

    flag = make_flag(session, make_client(session, place="US-OR"))
    flag.intake = None
    street = Street(people={"noor": make_duty_clinician(session)})
    client = flag.client
    session.commit()
    close_flags(street, client)
    return RiskFlag, plus_years(NOW, 7)


def taken_back(session: Session) -> tuple[type[Base], datetime]:
    client = make_client(session)
    for purpose in (Purpose.assessment, Purpose.privacy_notice):
        for signature in standing_signatures(session, client, purpose):
            consents.revoke(session, signature, client.user, NOW)
    return Signature, plus_years(NOW, 6)


def payment(session: Session) -> tuple[type[Base], datetime]:
    order = make_order(session)
    order.receive("pi_1", 24000, NOW)
    return Order, plus_years(NOW, 7)


RULES = {
    Rule.unfinished_intakes: unfinished,
    Rule.unconfirmed_accounts: unconfirmed,
    Rule.mails: mail,
    Rule.sign_in_attempts: attempt,
    Rule.sign_in_ended: browser,
    Rule.consent_proof: taken_back,
    Rule.payment_records: payment,
}
CARE = next(one for one in DUTIES if one.rule is Rule.clinical_records)
CASES = [*RULES.items(), *((Rule.clinical_records, one) for one in (ended_care, seat_in_a_group))]
CASES += [(Rule.clinical_records, closed_flag)]


@pytest.mark.parametrize(("rule", "plant"), CASES, ids=lambda one: getattr(one, "__name__", one))
def test_it_goes_on_its_day_and_not_a_second_before(app: Flask, rule: Rule, plant: Plant) -> None:
    with app.app_context():
        table, due = planted(plant)
        assert keep_schedule(due - SECOND).gone.get(rule, 0) == 0
        assert left(table)
        assert keep_schedule(due).gone[rule] >= 1
        assert left(table) == []
        assert keep_schedule(due).gone.get(rule, 0) == 0


def planted(plant: Plant) -> tuple[type[Base], datetime]:
    session = db.session()
    found = plant(session)
    session.commit()
    return found


def left(table: type[Base]) -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(table.id)))  # type: ignore[attr-defined]


def test_a_record_of_care_goes_whole(app: Flask) -> None:
    """With its meetings, the request that led to it and the scores that were taken by then."""
    with app.app_context():
        _, due = planted(ended_care)
        keep_schedule(due)
        assert left(MatchRequest) == left(Assessment) == left(Episode) == []
        # The person still has an account: what they answered is theirs to keep here.
        assert left(Intake)


def test_a_record_goes_with_the_times_that_were_held_on_the_way_to_it(app: Flask) -> None:
    """Somebody kept one time, let it go and booked another."""
    with app.app_context():
        with unit_of_work() as session:
            episode = make_episode(session)
            booked = session.scalars(sa.select(Appointment)).one()
            session.add(
                Appointment(
                    client=episode.client, therapist=episode.therapist, request=episode.request,
                    starts_at=booked.starts_at + timedelta(hours=2),
                    ends_at=booked.ends_at + timedelta(hours=2),
                    zone=booked.zone, format=booked.format, state=AppointmentState.cancelled,
                )
            )  # fmt: skip
            care.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
        keep_schedule(plus_years(NOW, 8))
        assert left(Appointment) == left(MatchRequest) == left(Episode) == []


def test_what_was_written_about_opening_a_record_goes_with_the_last_of_it(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            episode = make_episode(session)
            noor, client = make_duty_clinician(session), episode.client
            opening = open_in_danger(session, str(client.public_id), "They rang.", noor, NOW)
            opening.review = OpeningReview(user=noor, at=NOW, justified=True, words="Right.")
            care.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
            last = NOW + timedelta(days=10)
            again = Episode(
                client=client, therapist=episode.therapist, service="individual",
                place="US-WA", opened_at=NOW, ended_at=last,
            )  # fmt: skip
            session.add(again)
        keep_schedule(plus_years(NOW, 8))
        assert len(left(Episode)) == len(left(EmergencyOpening)) == 1
        keep_schedule(plus_years(last, 8))
        assert left(Episode) == left(EmergencyOpening) == left(OpeningReview) == []


def test_scores_that_a_later_care_rests_on_stay(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            client = make_seeker(session)
            first = make_episode(session, client)
            care.end(session, first, EndReason.completed, first.therapist.user, NOW)
            later = NOW + timedelta(days=400)
            session.add(
                Episode(
                    client=client, therapist=first.therapist, service="individual",
                    place="US-WA", opened_at=later,
                )
            )  # fmt: skip
        keep_schedule(plus_years(NOW, 8))
        assert len(left(Episode)) == 1
        assert left(Assessment)


def test_what_stands_is_not_counted_down(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            make_episode(session)
            make_flag(session)
        keep_schedule(plus_years(NOW, 50))
        assert left(Episode)
        assert left(RiskFlag)
        assert left(Signature)


def test_a_hold_stops_the_schedule_for_that_client_alone(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            held, free = make_episode(session), make_episode(session, nth=1)
            for episode in (held, free):
                care.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
            ines = make_user(session, roles=(Role.administrator,))
            operations.place_hold(session, held.client, "A subpoena", ines, NOW)
            kept = held.id
        due = plus_years(NOW, 8)
        keep_schedule(due)
        assert left(Episode) == [kept]
        with unit_of_work() as session:
            hold = session.scalars(sa.select(LegalHold)).one()
            operations.lift_hold(session, hold, hold.placed_by, due)
        keep_schedule(due)
        assert left(Episode) == []


@pytest.mark.parametrize("nth", [0, 1])
def test_whoever_was_erased_leaves_the_schedule_alone(app: Flask, nth: int) -> None:
    """What must stay of them goes with their erasure; everybody else's goes on its day."""
    with app.app_context():
        with unit_of_work() as session:
            both = [make_episode(session), make_episode(session, nth=1)]
            for episode in both:
                care.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
            operations.erase(session, both[nth].client, None, NOW)
            free = both[1 - nth].id
        due = plus_years(NOW, 8)
        over = {key for duty in DUTIES for key, _ in duty.due(db.session(), due) if duty is CARE}
        assert over == {free}
        assert {one.rule: one for one in preview(db.session(), due)}[Rule.clinical_records].now == 1
        assert keep_schedule(due).failed == []


def test_a_hold_keeps_a_sign_up_that_nobody_confirmed(app: Flask) -> None:
    with app.app_context():
        _, due = planted(unconfirmed)
        with unit_of_work() as session:
            client = session.scalars(sa.select(Client)).one()
            ines = make_user(session, roles=(Role.administrator,))
            operations.place_hold(session, client, "A subpoena", ines, NOW)
            held = client.id
        keep_schedule(due)
        assert left(Client) == [held]
        assert left(LegalHold)


def test_a_hold_keeps_mails_to_that_client_and_nobody_elses(app: Flask) -> None:
    """Copies and what never left, to every address they had; ended browsers go on their day."""
    with app.app_context():
        with unit_of_work() as session:
            held = make_client(session)
            held.user.email = "new@example.test"
            session.add(
                EmailChange(
                    user_id=held.user_id, old_email="old@example.test",
                    new_email="new@example.test", asked_at=NOW, confirmed_at=NOW,
                )
            )  # fmt: skip
            for name in ("old", "new", "other"):
                to = f"{name}@example.test"
                session.add(KeptMail(sent_at=NOW, to=to.upper(), subject="s", body="b"))
                send_mail(session, to=to, subject="s", body="b", dedupe_key=name, at=NOW)
            session.execute(sa.update(OutboxMessage).values(dead_at=NOW))
            ines = make_user(session, roles=(Role.administrator,))
            operations.place_hold(session, held, "A subpoena", ines, NOW)
            signed_out = browser(session)
        due = NOW + timedelta(days=30)
        assert signed_out == (SignInSession, due)
        keep_schedule(due)
        assert mails_left() == {"old@example.test", "new@example.test"}
        assert left(SignInSession) == []
        with unit_of_work() as session:
            hold = session.scalars(sa.select(LegalHold)).one()
            operations.lift_hold(session, hold, hold.placed_by, due)
        keep_schedule(due)
        assert mails_left() == set()


def test_a_hold_on_somebody_whose_address_opens_no_more_stops_no_rule(app: Flask) -> None:
    """As in a restored backup: the row is back, its key is not."""
    with app.app_context():
        with unit_of_work() as session:
            held = make_client(session)
            ines = make_user(session, roles=(Role.administrator,))
            operations.place_hold(session, held, "A subpoena", ines, NOW)
            mail(session)
            owner = held.user.public_id
        with unit_of_work() as session:
            assert keys.destroy(session, owner, Realm.account) == 1
        assert keep_schedule(NOW + timedelta(days=30)).failed == []
        assert left(KeptMail) == []


def mails_left() -> set[str]:
    """To whom there are copies; what never left is told of by the same addresses."""
    db.session.rollback()
    kept = {mail.to.lower() for mail in db.session.scalars(sa.select(KeptMail))}
    full = sa.select(OutboxMessage).where(OutboxMessage.payload_sealed.is_not(None))
    assert {work.payload["to"] for work in db.session.scalars(full)} == kept
    return kept


def test_an_intake_that_goes_leaves_its_worry_to_the_clinicians(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            make_flag(session)
        keep_schedule(NOW + timedelta(days=90))
        assert left(Intake) == []
        assert left(RiskFlag)


def test_an_unpaid_order_and_its_payer_are_forgotten_with_the_last_one(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            order = make_order(session)
            order.receive("pi_1", 24000, NOW)
        keep_schedule(plus_years(NOW, 7))
        assert left(Payer) == []


def test_somebody_who_cannot_be_erased_holds_up_nobody_behind_them(app: Flask) -> None:
    """Who has begun to work here since they asked is refused; who asked after them is erased."""
    with app.app_context():
        with unit_of_work() as session:
            stuck, goes = make_client(session), make_client(session)
            for client, at in ((stuck, NOW), (goes, NOW + SECOND)):
                operations.ask_for_later(session, client, at)
            session.add(UserRole(user_id=stuck.user_id, role=Role.moderator, granted_at=NOW))
            stuck_id, goes_id = stuck.public_id, goes.public_id
        assert erase_what_is_due(NOW + timedelta(days=8)) == 1
        done = sa.select(ErasureRequest.client_ref).where(ErasureRequest.done_at.is_not(None))
        assert list(db.session.scalars(done)) == [goes_id]
        waiting = sa.select(ErasureRequest.client_ref).where(ErasureRequest.done_at.is_(None))
        assert list(db.session.scalars(waiting)) == [stuck_id]


def test_the_worker_keeps_it_once_a_day(app: Flask, clock: FrozenClock) -> None:
    with app.app_context():
        for hours in (0, 1, 23, 24, 25):
            clock.move_to(NOW + timedelta(hours=hours))
            KEEPING.post_when_due(clock.now())
            drain(app, clock.now())
        runs = db.session.scalars(sa.select(RetentionRun.at).order_by(RetentionRun.at)).all()
        assert runs == [NOW, NOW + timedelta(days=1)]


def break_duty(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    """Its first duty deletes what it should and then meets an error with names in it."""

    def half(session: Session, keys: Sequence[int]) -> None:
        duty.let_go(session, keys)
        raise ValueError("canary@example.test")

    duty = next(one for one in DUTIES if one.rule is rule)
    others = [replace(one, let_go=half) if one is duty else one for one in DUTIES]
    monkeypatch.setattr(schedule, "DUTIES", others)


def test_a_duty_that_fails_keeps_none_of_the_others_from_being_done(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it had begun is undone, the log has its kind and place alone, the next run does it."""
    with app.app_context():
        for _, plant in RULES.items():
            planted(plant)
        at = plus_years(NOW, 10)
        with monkeypatch.context() as patch, caplog.at_level("INFO"):
            break_duty(patch, Rule.sign_in_attempts)
            run = keep_schedule(at)
        assert run.failed == ["sign_in_attempts"]
        assert left(SignInAttempt)
        assert left(KeptMail) == left(Order) == left(SignInSession) == []
        assert '"event": "retention.failed", "kind": "sign_in_attempts"' in caplog.text
        assert "canary" not in caplog.text
        assert keep_schedule(at).failed == []
        assert left(SignInAttempt) == []


def test_a_duty_that_lets_nothing_go_ends_and_is_noted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be handed the same rows for ever."""
    with app.app_context():
        planted(mail)
        idle = [replace(one, let_go=lambda *_: None) for one in DUTIES if one.rule is Rule.mails]
        monkeypatch.setattr(schedule, "DUTIES", idle)
        run = keep_schedule(plus_years(NOW, 1))
        assert run.failed == ["mails"]
        assert left(KeptMail)


def test_a_run_brings_the_register_of_erasures_up_to_the_table(
    app: Flask, register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        with unit_of_work() as session:
            erase(session, OWNER, Realm.personal, NOW)
        with monkeypatch.context() as patch:
            patch.setattr(erasures, "FILE", "no/such/folder/erasures.jsonl")
            assert keep_schedule(NOW).failed == ["register"]
        assert keep_schedule(NOW).failed == []
    assert [str(OWNER) in line for line in lines_of(register)] == [True]


def test_the_preview_counts_by_rule_and_date(app: Flask) -> None:
    with app.app_context():
        planted(unfinished)
        planted(ended_care)
        planted(payment)

        def counts(at: datetime) -> dict[Rule, tuple[int, int, int, int]]:
            return {
                one.rule: (one.now, one.soon, one.this_year, one.later)
                for one in preview(db.session(), at)
            }

        assert counts(NOW)[Rule.unfinished_intakes] == (0, 0, 1, 0)
        assert counts(NOW)[Rule.clinical_records] == (0, 0, 0, 1)
        assert counts(NOW + timedelta(days=60))[Rule.unfinished_intakes] == (0, 1, 0, 0)
        assert counts(plus_years(NOW, 7))[Rule.payment_records] == (1, 0, 0, 0)
        assert counts(plus_years(NOW, 7))[Rule.clinical_records] == (0, 0, 1, 0)


def test_the_preview_loads_nothing_of_what_it_counts(app: Flask) -> None:
    """One row of numbers for each duty, however much there is."""
    with app.app_context():
        with unit_of_work() as session:
            session.add_all(SignInAttempt(counted=str(one), at=NOW) for one in range(300))
        seen: list[int] = []

        def look(result: sa.Result[Any]) -> sa.Result[Any]:
            frozen = result.freeze()
            seen.append(len(frozen().all()))
            return frozen()

        session = db.session()
        execute = session.execute
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "execute", lambda *given: look(execute(*given)))
            lines = {one.rule: one for one in preview(session, NOW)}
        assert lines[Rule.sign_in_attempts].soon == 300
        assert seen == [1] * len(DUTIES)


@pytest.mark.parametrize("plant", [ended_care, seat_in_a_group, closed_flag, payment, mail])
def test_the_preview_agrees_with_what_goes_to_the_second(app: Flask, plant: Plant) -> None:
    with app.app_context():
        _, due_at = planted(plant)
        for at, wanted in ((due_at - SECOND, 0), (due_at, 1)):
            by_rule = [one.now for one in preview(db.session(), at)]
            duties = [sum(gone <= at for _, gone in duty.due(db.session(), at)) for duty in DUTIES]
            assert sum(by_rule) == sum(duties)
            assert max(by_rule) >= wanted


def test_each_rule_has_its_line_with_a_source_and_a_date() -> None:
    assert set(SCHEDULE) == set(Rule)
    for line in SCHEDULE.values():
        assert all((line.what, line.how_long, line.counted_from, line.source, line.as_of))
    for term in YEARS_OF_RECORD.values():
        assert term.years >= 5
        assert term.source
        assert term.as_of


def test_a_place_without_a_rule_of_its_own_keeps_seven_years() -> None:
    assert record_until(NOW, "US-TX") == record_until(NOW, "") == plus_years(NOW, 7)
    assert record_until(NOW, "US-WA") == plus_years(NOW, 8)


@pytest.mark.parametrize("years", range(1, 9))
@pytest.mark.parametrize("day", [NOW.replace(year=2028, month=2, day=29), NOW])
def test_counting_back_never_lets_something_go_early(day: datetime, years: int) -> None:
    assert plus_years(minus_years(day, years), years) <= day
    assert day - plus_years(minus_years(day, years), years) <= timedelta(days=1)


@pytest.fixture
def ines(app: Flask, http: FlaskClient) -> FlaskClient:
    with app.app_context(), unit_of_work() as session:
        user = make_user(session, name="Ines", roles=(Role.administrator,))
    with app.app_context():
        sign_in(http, db.session.merge(user))
    return http


def test_the_page_shows_numbers_and_nobodys_name(app: Flask, ines: FlaskClient) -> None:
    with app.app_context(), unit_of_work() as session:
        episode = make_episode(session)
        names = (episode.client.preferred_name, episode.client.user.email, episode.therapist.name)
        reference = str(episode.client.public_id)
    page = ines.get("/retention").text
    assert "Washington Administrative Code 246-924-354" in page
    for name in (*names[1:], reference):
        assert name not in page


def test_the_page_says_what_could_not_go(
    app: Flask, ines: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ines.application.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        planted(attempt)
        break_duty(monkeypatch, Rule.sign_in_attempts)
        assert "could not do everything" not in ines.get("/retention").text
        keep_schedule(NOW + timedelta(days=1))
        said = ines.get("/retention").text
        assert "could not do everything" in said
        assert said.count("Counted tries at signing in") == 3
        assert "canary" not in said
        monkeypatch.setattr(schedule, "DUTIES", DUTIES)
        keep_schedule(NOW + timedelta(days=1, seconds=1))
    said = ines.get("/retention").text
    assert "could not do everything" not in said
    assert "Could not be done to the end" in said


def test_running_it_asks_first_then_says_what_went(
    app: Flask, ines: FlaskClient, clock: FrozenClock
) -> None:
    with app.app_context():
        planted(unfinished)
    clock.move(timedelta(days=90))
    with app.app_context():
        named = User.name_sealed.is_not(None)
        sign_in(ines, db.session.scalars(sa.select(User).where(named)).one())
    assert "Questions that were begun and not finished" in ines.get("/retention/run").text
    with app.app_context():
        assert left(Intake)
    ines.post("/retention/run")
    ines.post("/retention/run")
    assert "It is being run" in ines.get("/retention").text
    assert drain(app, clock.now()) == 1
    page = ines.get("/retention").text
    assert "Run it now" in page
    # Her own browser of three months ago went as well.
    assert "Questions that were begun and not finished: 1" in page
    assert "by itself<br>" not in page
    with app.app_context():
        assert left(Intake) == []
        run = AuditEntry.action == "retention.kept"
        entry = db.session.scalars(sa.select(AuditEntry).where(run)).one()
        assert entry.details == {"unfinished_intakes": 1, "sign_in_ended": 1}
        assert entry.actor_role == "administrator"


def test_a_hold_is_placed_by_reference_and_lifted(app: Flask, ines: FlaskClient) -> None:
    with app.app_context(), unit_of_work() as session:
        reference = make_client(session).public_id
    wrong = {"client": "not a reference", "reason": "A subpoena"}
    assert ines.post("/retention/holds", data=wrong).status_code == 422
    nobody = {"client": "3f2b8c1e-5a7d-4e0f-9c6b-1d2e3f4a5b6c", "reason": "A subpoena"}
    assert "No client has this reference" in ines.post("/retention/holds", data=nobody).text
    right = {"client": str(reference), "reason": "A subpoena"}
    assert ines.post("/retention/holds", data=right).status_code == 303
    assert "A hold stands on this record already" in ines.post("/retention/holds", data=right).text
    assert "A subpoena" in ines.get("/retention").text
    with app.app_context():
        hold = db.session.scalars(sa.select(LegalHold)).one().public_id
    assert ines.post(f"/retention/holds/{hold}/lifting").status_code == 303
    assert ines.post(f"/retention/holds/{hold}/lifting").status_code == 404
    assert "No hold stands" in ines.get("/retention").text


def test_only_administrators_come_here(app: Flask, http: FlaskClient) -> None:
    with app.app_context(), unit_of_work() as session:
        client: Client = make_client(session)
        user = client.user
    with app.app_context():
        sign_in(http, db.session.merge(user))
    for path in ("/retention", "/retention/run"):
        assert http.get(path).status_code == 404
