"""Being forgotten: what may go is gone for good, what stays is known, nobody else is touched."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from billing.operations import open_checkout
from core import audit, readings
from core.audit import AuditEntry
from core.checking import check
from core.clock import FrozenClock
from core.database import Base, db, unit_of_work
from core.encryption import Erased
from core.erasures import Erasure, lines_of, replay
from core.keys import DataKey
from core.ledger import seal_now
from core.mail import KeptMail
from core.outbox import OutboxMessage, drain
from practice.accounts.models import Client, Role, SignInSession, User, UserRole
from practice.accounts.operations import sign_up
from practice.accounts.queries import user_with
from practice.appointments.models import Appointment, AppointmentState
from practice.care.models import Episode
from practice.care.queries import openings_of
from practice.consent.models import Revocation, Signature
from practice.consent.operations import ensure_documents
from practice.groups.models import Enrolment
from practice.groups.operations import Joining, take_seat
from practice.intake.flags import operations as flag_operations
from practice.intake.models import (
    Assessment,
    ContactManner,
    FlagReading,
    FlagResult,
    Intake,
    IntakeAnswer,
    RiskFlag,
)
from practice.matches.models import MatchRequest, Proposal, RequestState
from practice.matches.reviews.models import MatchReview
from practice.privacy import operations, queries
from practice.privacy.models import Because, ErasureRequest, LegalHold, Restriction
from practice.privacy.retention import plus_years
from practice.privacy.schedule import keep_schedule
from practice.waiting.models import WaitingEntry
from tests.builders.accounts import make_client, sign_in
from tests.builders.billing import CANCEL, SUCCESS
from tests.builders.checkout import bank_for
from tests.builders.groups import make_group
from tests.builders.intake import make_intake
from tests.conftest import NOW, empty_database
from tests.journeys.street import READERS, Street, canary
from tests.practice.privacy.world import bytes_kept, client_now, erase, rows_by_table

ClientOf = Callable[[str], Client]
STORY = "ben's story, shared with nobody"


@pytest.fixture
def ben(app: Flask, client_of: ClientOf) -> uuid.UUID:
    """Ben with a proposal on file; his public id."""
    with app.app_context(), unit_of_work() as session:
        client = session.merge(client_of("ben"))
        session.add(
            Proposal(
                client_id=client.id, made_at=NOW, digest="d", weights_version=1,
                engine_version="1", client_inputs={"story": canary(STORY)}, shown=[],
            )
        )  # fmt: skip
        return client.public_id


@pytest.fixture
def ann(app: Flask, client_of: ClientOf) -> uuid.UUID:
    with app.app_context():
        return client_of("ann").public_id


def test_what_may_go_is_gone_and_what_was_sealed_opens_nowhere(app: Flask, ben: uuid.UUID) -> None:
    with app.app_context():
        client = client_now(ben)
        assert client is not None
        email, index = client.user.email, client.user.email_index
        of_yesterday = {
            table: [tuple(row) for row in db.session.execute(sa.select(table.__table__))]
            for table in (Intake, IntakeAnswer, Proposal)
        }
        assert canary(STORY) in str(
            [one.value for one in db.session.scalars(sa.select(IntakeAnswer))]
        )
    erase(app, ben)
    with app.app_context():
        client = client_now(ben)
        assert client is not None
        assert count(Intake, client) == count(Proposal, client) == count(Assessment, client) == 0
        assert (client.phone, client.user.email, client.user.email_index) == ("", "", None)
        assert user_with(db.session(), email) is None
        kept = sa.select(DataKey.realm).where(DataKey.owner.in_((ben, client.user.public_id)))
        assert set(db.session.scalars(kept)) == {"record"}
        # Yesterday's rows, brought back: their key is gone.
        put_back(of_yesterday)
        answers = db.session.scalars(
            sa.select(IntakeAnswer).join(Intake).where(Intake.client_id == client.id)
        ).all()
        assert answers
        for answer in answers:
            with pytest.raises(Erased):
                _ = answer.value
        with pytest.raises(Erased):
            _ = db.session.scalars(sa.select(Proposal)).one().client_inputs
    assert index is not None
    assert index.encode() not in bytes_kept(app)


def count(table: type[Base], client: Client) -> int:
    theirs = table.client_id == client.id  # type: ignore[attr-defined]
    return db.session.scalar(sa.select(sa.func.count()).select_from(table).where(theirs)) or 0


def put_back(rows: dict[type[Base], list[tuple[object, ...]]]) -> None:
    for table, of_yesterday in rows.items():
        there = set(db.session.scalars(sa.select(table.__table__.c.id)))
        names = [column.name for column in table.__table__.columns]
        values = [dict(zip(names, row, strict=True)) for row in of_yesterday]
        missing = [one for one in values if one["id"] not in there]
        db.session.execute(sa.insert(table.__table__), missing)
    db.session.commit()


def test_no_secret_stands_in_any_byte_after_an_erasure(
    app: Flask, ben: uuid.UUID, ann: uuid.UUID
) -> None:
    erase(app, ben)
    erase(app, ann, expected=0)
    drain(app, NOW, most=1000)
    kept = bytes_kept(app)
    for secret in ("ann's story, shared with rosa", STORY, "why ann asks to join the group"):
        assert canary(secret).encode() not in kept
    for reference in (ben, ann):
        assert db_mentions(app, reference) <= {
            "clients", "data_keys", "erasures", "erasure_requests", "payers", "outbox_messages",
        }  # fmt: skip


def db_mentions(app: Flask, reference: uuid.UUID) -> set[str]:
    """The tables in which a public id stands, as text or as bytes."""
    wanted = {str(reference).encode(), reference.hex.encode(), reference.bytes}
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name
            for table in Base.metadata.sorted_tables
            for row in connection.execute(sa.text(f'SELECT * FROM "{table.name}"'))
            for value in row
            if any(one in as_bytes(value) for one in wanted)
        }


def as_bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def test_what_the_law_keeps_stays_closed_with_its_day_and_its_reason(
    app: Flask, ann: uuid.UUID
) -> None:
    erase(app, ann, expected=0)
    with app.app_context():
        client = client_now(ann)
        assert client is not None
        care = db.session.scalars(sa.select(Episode).where(Episode.client_id == client.id)).one()
        assert care.ended_at == NOW
        assert (care.ended_because, care.request is not None) == ("consent_withdrawn", True)
        stays = {(one.holding, one.because): one.until for one in restrictions(client)}
        eight, six = plus_years(NOW, 8), plus_years(NOW, 6)
        assert stays["care", Because.clinical_record] == eight
        assert stays["scores", Because.clinical_record] == eight
        assert stays["requests", Because.clinical_record] == eight
        assert stays["consents", Because.consent_proof] == six
        assert stays["flags", Because.open_flag] is None
        assert client.preferred_name == "Ann"
        assert count(Assessment, client) == 2
        assert count(Intake, client) == 0


def restrictions(client: Client) -> list[Restriction]:
    theirs = sa.select(Restriction).where(Restriction.client_id == client.id)
    return list(db.session.scalars(theirs))


def test_the_telephone_number_goes_from_the_meetings_that_stay(
    app: Flask, street: Street, ann: uuid.UUID
) -> None:
    with app.app_context(), unit_of_work() as session:
        meeting = session.scalars(sa.select(Appointment)).one()
        meeting.format, meeting.where = "telephone", "+1 206 555 0142"
        visit = Appointment(
            client=meeting.client, therapist=meeting.therapist, request=meeting.request,
            starts_at=meeting.starts_at + timedelta(hours=2),
            ends_at=meeting.ends_at + timedelta(hours=2),
            zone=meeting.zone, format="in-person", state=meeting.state, episode=meeting.episode,
        )  # fmt: skip
        visit.where = "12 Pine Street"
        session.add(visit)
        session.flush()
        kept, visited = meeting.id, visit.id
    erase(app, ann, expected=0)
    with app.app_context():
        # While a worry is open somebody may still have to ring them.
        assert db.session.get_one(Appointment, kept).where
        client = client_now(ann)
        assert client is not None
        close_flags(street, client)
        finish_at(ann, NOW)
        meeting = db.session.get_one(Appointment, kept)
        assert (meeting.where, meeting.format) == ("", "telephone")
        assert db.session.get_one(Appointment, visited).where == "12 Pine Street"


def test_what_goes_on_ends_and_those_concerned_are_told(
    app: Flask, ann: uuid.UUID, ben: uuid.UUID, street: Street
) -> None:
    with app.app_context():
        addresses = {name: db.session.merge(user).email for name, user in street.people.items()}
    erase(app, ann, expected=0)
    erase(app, ben)
    drain(app, NOW, most=1000)
    with app.app_context():
        assert set(db.session.scalars(sa.select(Enrolment.seat_number))) <= {None}
        met = Appointment.state == AppointmentState.cancelled
        assert db.session.scalars(sa.select(Appointment.id).where(~met)).all() == []
        sent = MatchRequest.state.in_((RequestState.sent, RequestState.accepted))
        assert db.session.scalars(sa.select(MatchRequest.id).where(sent)).all() == []
        taken_back = sa.exists().where(Revocation.signature_id == Signature.id)
        assert db.session.scalars(sa.select(Signature.id).where(~taken_back)).all() == []
        mails = [(mail.to, mail.subject) for mail in db.session.scalars(sa.select(KeptMail))]
    assert (addresses["rosa"], "Something is waiting for you at Attune") in mails
    for name in ("ann", "ben"):
        mine = [subject for to, subject in mails if to == addresses[name]]
        assert "Your account is closed" in mine


def test_nobody_else_is_touched(app: Flask, ben: uuid.UUID, ann: uuid.UUID) -> None:
    def of_others(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
        with app.app_context():
            client = client_now(ben)
            assert client is not None
            mine = {client.id, client.user_id}
        named = {name: [one.name for one in Base.metadata.tables[name].columns] for name in rows}
        skipped = {"restrictions", "erasures", "erasure_requests", "data_keys", "user_roles"}
        return {
            name: [row for row in values if owner_of(named[name], row) not in mine]
            for name, values in rows.items()
            if name not in skipped and "client_id" in named[name]
        }

    before = of_others(rows_by_table(app))
    keys = keys_of(app, ann)
    erase(app, ben)
    assert of_others(rows_by_table(app)) == before
    assert keys_of(app, ann) == keys
    assert any(before.values())


def owner_of(columns: list[str], row: tuple[object, ...]) -> object:
    return row[columns.index("client_id")]


def keys_of(app: Flask, owner: uuid.UUID) -> list[bytes]:
    with app.app_context():
        return sorted(db.session.scalars(sa.select(DataKey.id).where(DataKey.owner == owner)))


def test_erasing_twice_is_harmless_and_gives_the_same_reference(app: Flask, ann: uuid.UUID) -> None:
    first = erase(app, ann, expected=0)
    before = rows_by_table(app)
    assert erase(app, ann, at=NOW + timedelta(hours=1)) == first
    after = rows_by_table(app)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def test_names_leave_the_log_and_its_lines_stay(app: Flask, ben: uuid.UUID) -> None:
    with app.app_context():
        client = client_now(ben)
        assert client is not None
        user = client.user.public_id
        lines = db.session.scalar(sa.select(sa.func.count(AuditEntry.id)))
        assert db.session.scalars(sa.select(AuditEntry).where(AuditEntry.actor_id == user)).first()
    erase(app, ben)
    with app.app_context():
        named = sa.or_(
            AuditEntry.actor_id == user,
            AuditEntry.subject_id.in_((ben, user)),
            AuditEntry.client_id == ben,
        )
        assert db.session.scalars(sa.select(AuditEntry.id).where(named)).all() == []
        assert (db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) or 0) > (lines or 0)
        erased = AuditEntry.action == "client.erased"
        assert db.session.scalars(sa.select(AuditEntry).where(erased)).one().client_pseudonym


def test_the_ledger_is_whole_after_an_erasure(app: Flask, ben: uuid.UUID) -> None:
    """Ben's acts were sealed before, and his name is taken out of them afterwards."""
    with app.app_context():
        assert seal_now(NOW) > 0
    erase(app, ben)
    with app.app_context():
        seal_now(NOW)
        report = check(db.session())
        assert report.findings == []
        assert report.size > 0


def test_every_browser_is_signed_out_and_the_account_opens_no_more(
    app: Flask, ann: uuid.UUID, http: FlaskClient, street: Street
) -> None:
    with app.app_context():
        sign_in(http, db.session.merge(street.people["ann"]))
        assert http.get("/today").status_code == 200
    erase(app, ann, expected=0)
    assert http.get("/today").status_code == 303
    with app.app_context():
        client = client_now(ann)
        assert client is not None
        mine = SignInSession.user_id == client.user_id
        assert db.session.scalars(sa.select(SignInSession.id).where(mine)).all() == []
        assert client.user.is_disabled


def test_an_open_worry_keeps_a_way_to_reach_them_until_it_is_closed(
    app: Flask, ann: uuid.UUID, street: Street
) -> None:
    """Ann gave no telephone number: her address is the only way."""
    with app.app_context():
        email = db.session.merge(street.people["ann"]).email
    erase(app, ann, expected=0)
    with app.app_context():
        client = client_now(ann)
        assert client is not None
        assert client.user.email == email
        assert client.user.is_disabled
        close_flags(street, client)
        with unit_of_work() as session:
            again = queries.client_with(session, ann)
            assert again is not None
            assert not operations.finish(session, again, NOW + timedelta(days=1))
        client = client_now(ann)
        assert client is not None
        assert client.user.email == ""
        reasons = {one.because for one in restrictions(client) if one.holding == "flags"}
        assert reasons == {Because.clinical_record}
        flag = db.session.scalars(sa.select(RiskFlag).where(RiskFlag.client_id == client.id)).one()
        assert flag.raised_by["instrument"] == "phq-9"


def close_flags(street: Street, client: Client) -> None:
    with unit_of_work() as session:
        noor = session.merge(street.people["noor"])
        for flag in session.scalars(sa.select(RiskFlag).where(RiskFlag.client_id == client.id)):
            flag_operations.read_flag(session, flag, noor, NOW)
            flag_operations.log_contact(
                session, flag, noor, manner=ContactManner.telephone, reached=True, words="", at=NOW
            )
            flag_operations.close_flag(
                session, flag, noor, result=FlagResult.safe_plan_made, reason="Safe.", at=NOW
            )


def test_when_the_years_are_over_nothing_is_left_but_the_reference(
    app: Flask, ben: uuid.UUID, ann: uuid.UUID
) -> None:
    """Ben's closed flag is a record of care: eight years in Washington."""
    reference = erase(app, ben)
    last = plus_years(NOW, 8)
    with app.app_context():
        finish_at(ben, last - timedelta(seconds=1))
        assert client_now(ben) is not None
        with unit_of_work() as session:
            a_list_was_read(session, {ben, ann})
        finish_at(ben, last)
        assert client_now(ben) is None
        request = queries.erasure_with(db.session(), reference)
        assert request is not None
        assert request.complete_at == last
    assert db_mentions(app, ben) <= {"erasures", "erasure_requests", "outbox_messages"}


def a_list_was_read(session: Session, clients: set[uuid.UUID]) -> None:
    """Whoever keeps closed records has had several on one page meanwhile."""
    readings.viewed(
        session, at=NOW, action="closed_records.viewed", subject_kind="user",
        subject_id=uuid.uuid4(), actor_id=uuid.uuid4(), actor_role="records_custodian",
        clients=clients,
    )  # fmt: skip


def finish_at(reference: uuid.UUID, at: datetime) -> None:
    with unit_of_work() as session:
        client = queries.client_with(session, reference)
        assert client is not None
        operations.finish(session, client, at)


def test_money_goes_back_by_the_groups_rule_and_only_as_it_was_shown(app: Flask) -> None:
    with bank_for(app) as bank, app.app_context():
        with unit_of_work() as session:
            client = make_client(session)
            seat = paid_seat(session, client)
            reference, order = client.public_id, seat.order_id
        assert order is not None
        open_checkout(order, success_url=SUCCESS, cancel_url=CANCEL, at=NOW)
        bank.pay(order)
        bank.deliver()
        before = rows_by_table(app)
        with pytest.raises(operations.PlanChanged):
            erase(app, reference, expected=1)
        assert rows_by_table(app) == before
        erase(app, reference, expected=24000)
        bank.carry_out()
        bank.deliver()
        bank.carry_out()
        assert bank.given_back() == 24000
        # Nobody is written to any more, not even about the money.
        assert (
            db.session.scalars(
                sa.select(OutboxMessage.id).where(OutboxMessage.last_error != "")
            ).all()
            == []
        )
        assert [mail.to for mail in db.session.scalars(sa.select(KeptMail)) if not mail.to] == []
        client = client_now(reference)
        assert client is not None
        reasons = {one.because for one in restrictions(client) if one.holding == "payments"}
        assert reasons == {Because.payment_record}


def paid_seat(session: Session, client: Client) -> Enrolment:
    ensure_documents(session, NOW)
    group = make_group(session)
    evidence = {"typed_name": "Sam Doe", "ticked": True}
    joining = Joining("Robin", "US-WA", evidence=evidence)
    return take_seat(session, group.public_id, client, joining, NOW)


def test_under_a_legal_hold_everything_is_locked_and_nothing_deleted(
    app: Flask, ben: uuid.UUID, street: Street
) -> None:
    with app.app_context(), unit_of_work() as session:
        client = queries.client_with(session, ben)
        assert client is not None
        ines = session.merge(street.people["ines"])
        operations.place_hold(session, client, "A subpoena", ines, NOW)
    erase(app, ben)
    with app.app_context():
        client = client_now(ben)
        assert client is not None
        assert client.user.is_disabled
        stories = [one.value for one in db.session.scalars(sa.select(IntakeAnswer))]
        assert canary(STORY) in stories
        assert {one.because for one in restrictions(client)} == {Because.legal_hold}
        assert {"matches", "waiting"} <= {one.holding for one in restrictions(client)}
        assert count(WaitingEntry, client) == count(MatchReview, client) == 1
        with unit_of_work() as session:
            hold = session.scalars(sa.select(LegalHold)).one()
            assert hold.reason == "A subpoena"
            operations.lift_hold(session, hold, session.merge(street.people["ines"]), NOW)
        # What the hold had kept in the log goes with it, and not years later.
        named = sa.or_(AuditEntry.client_id == ben, AuditEntry.subject_id == ben)
        assert db.session.scalars(sa.select(AuditEntry.id).where(named)).all() == []
        finish_at(ben, NOW + timedelta(days=1))
        client = client_now(ben)
        assert client is not None
        assert count(Intake, client) == count(WaitingEntry, client) == 0
        assert count(MatchReview, client) == 0
        assert Because.legal_hold not in {one.because for one in restrictions(client)}


def test_what_stays_is_closed_to_all_but_the_custodian_and_whoever_still_writes_last_notes(
    app: Flask, street: Street, ann: uuid.UUID, ben: uuid.UUID, clock: FrozenClock
) -> None:
    """Every page about a thing of theirs, asked for by everybody who works here."""
    erase(app, ann, expected=0)
    erase(app, ben)
    # By then what was opened in an emergency is closed again.
    clock.move(timedelta(hours=2))
    seen: dict[str, set[str]] = {}
    for name in "rosa lena sven noor clara idris ines".split():
        pages = [browser_of(app, street, name).get(one).text for one in addresses_of(street)]
        seen[name] = {secret for secret in THEIRS if canary(secret) in "".join(pages)}
    idris, sven = seen.pop("idris"), seen.pop("sven")
    assert sven <= {"sven's note about ben, to be closed"}
    assert not any(seen.values()), seen
    assert idris <= set(THEIRS)


THEIRS = [
    secret
    for secret in READERS
    if "ann" in secret or "ben" in secret or "telephone" in secret or "flag" in secret
]


def browser_of(app: Flask, street: Street, name: str) -> FlaskClient:
    browser = app.test_client()
    with app.app_context():
        sign_in(browser, db.session.merge(street.people[name]))
    return browser


def addresses_of(street: Street) -> list[str]:
    paths = {
        "flag": "/flags/{}",
        "match_request": "/requests/{}",
        "appointment": "/appointments/{}",
        "episode": "/caseload/{}",
        "enrolment": "/enrolments/{}",
        "group": "/led-groups/{}",
    }
    of_things = [
        paths[kind].format(one) for kind in paths for one in street.things.get(kind, {}).values()
    ]
    return ["/today", "/caseload", "/requests", "/flags", "/led-groups", *of_things]


def test_somebody_who_works_here_too_is_not_erased_by_mistake(app: Flask, ben: uuid.UUID) -> None:
    with app.app_context(), unit_of_work() as session:
        client = queries.client_with(session, ben)
        assert client is not None
        client.user.role_rows.append(UserRole(role=Role.moderator, granted_at=NOW))
    before = rows_by_table(app)
    with pytest.raises(operations.WorksHere):
        erase(app, ben)
    assert rows_by_table(app) == before


def test_of_whoever_worked_here_once_an_empty_shell_stays(app: Flask, ann: uuid.UUID) -> None:
    """Rows about others name them, so their own row cannot go; nothing of them is left in it."""
    with app.app_context(), unit_of_work() as session:
        client, other = make_client(session), queries.client_with(session, ann)
        assert other is not None
        user, address, name = client.user, client.user.email, "Benedict of long ago"
        user.name = name
        raised = session.scalars(sa.select(RiskFlag).where(RiskFlag.client_id == other.id)).one()
        session.add(FlagReading(flag_id=raised.id, user_id=user.id, read_at=NOW))
        for subject, of in ((raised, other), (client, client)):
            audit.record(
                session, at=NOW, action="flag.viewed", subject_kind="flag",
                subject_id=subject.public_id, actor_id=user.public_id,
                actor_role=Role.duty_clinician, client_id=of.public_id,
            )  # fmt: skip
        gone, user_id, user_ref = client.public_id, user.id, user.public_id
    erase(app, gone)
    with app.app_context():
        # The proof of consents stays six years; then nothing of the client does.
        keep_schedule(plus_years(NOW, 6))
        db.session.rollback()
        assert client_now(gone) is None
        shell = db.session.get_one(User, user_id)
        assert (shell.email, shell.name, shell.email_index) == ("", "", None)
        assert (shell.roles, shell.is_disabled, shell.is_confirmed) == (frozenset(), True, False)
        assert shell.password_hash == "erased"
        assert user_id in db.session.scalars(sa.select(FlagReading.user_id)).all()
        assert queries.unfinished_erasures(db.session()) == []
        keys = sa.select(DataKey.realm).where(DataKey.owner.in_((gone, user_ref)))
        assert db.session.scalars(keys).all() == []
        # Others may still ask who looked; that they were a client themselves stands nowhere.
        by_them = sa.select(AuditEntry).where(AuditEntry.actor_id == user_ref)
        assert [row.client_id for row in db.session.scalars(by_them)] == [ann]
        theirs = sa.or_(AuditEntry.client_id == gone, AuditEntry.subject_id.in_((gone, user_ref)))
        assert db.session.scalars(sa.select(AuditEntry).where(theirs)).all() == []
        seal_now(NOW)
        assert check(db.session()).findings == []
    kept = bytes_kept(app)
    assert address.encode() not in kept
    assert name.encode() not in kept


def test_the_register_has_the_line_whenever_the_process_died_after_the_commit(
    app: Flask, ben: uuid.UUID, register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(app, ben)
    # Nobody has carried the outbox out yet: the process ended right after the commit.
    assert lines_of(register) == []
    monkeypatch.setattr("core.erasures.os.fsync", fail)
    drain(app, NOW, most=1000)
    monkeypatch.undo()
    drain(app, NOW + timedelta(hours=2), most=1000)
    lines = "\n".join(lines_of(register))
    assert str(ben) in lines
    assert '"personal"' in lines
    assert '"account"' in lines
    assert canary(STORY) not in lines


def fail(_descriptor: int) -> None:
    raise OSError("the disk is away")


def test_a_restored_backup_is_forgotten_once_more(
    app: Flask, ann: uuid.UUID, register: Path
) -> None:
    """The rows of yesterday and all their keys are back; the register is all that is new."""
    with app.app_context(), db.engine.connect() as connection:
        yesterday = {
            table: [
                dict(row._mapping)
                # Whoever is supervised came after their supervisor.
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
        }
    erase(app, ann, expected=0)
    drain(app, NOW, most=1000)
    lines = lines_of(register)
    with app.app_context():
        empty_database(db.engine)
        with db.engine.begin() as connection:
            if is_sqlite():
                connection.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
            for table, rows in yesterday.items():
                if rows:
                    connection.execute(sa.insert(table), rows)
        db.session.remove()
        with unit_of_work() as session:
            assert replay(session, lines) == len(lines) > 0
        client = client_now(ann)
        assert client is not None
        assert client.user.is_disabled
        assert count(Intake, client) == 0
        care = sa.select(Episode).where(Episode.client_id == client.id)
        assert db.session.scalars(care).one().ended_at == NOW
        assert db.session.scalars(sa.select(ErasureRequest)).one().done_at == NOW
        realms = set(db.session.scalars(sa.select(DataKey.realm).where(DataKey.owner == ann)))
        assert realms == {"record"}
        assert db.session.scalars(sa.select(Erasure.realm)).all()
        with unit_of_work() as session:
            replay(session, lines)
        assert openings_of(client_now(ann)) == []  # type: ignore[arg-type]


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def test_the_same_address_may_open_a_new_account_afterwards(app: Flask) -> None:
    with app.app_context():
        with unit_of_work() as session:
            client = make_client(session, consents=False)
            make_intake(session, client)
            email, reference = client.user.email, client.public_id
        erase(app, reference)
        with unit_of_work() as session:
            sign_up(session, email, password_hash="x", role=Role.client, at=NOW)
        user = user_with(db.session(), email)
        assert user is not None
        assert user.client is not None
        assert user.client.public_id != reference
        assert client_now(reference) is None
        assert db.session.scalars(sa.select(User.id)).all() == [user.id]
