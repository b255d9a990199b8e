"""Confidential columns: sealed on the way in, opened in their own place and nowhere else."""

import uuid

import pytest
import sqlalchemy as sa

from core import keys
from core.database import unit_of_work
from core.encryption import (
    Erased,
    NotSealed,
    Unreadable,
    blind_index,
    prefetch,
    sealed_columns,
)
from core.keys import SYSTEM, DataKey, Realm
from core.mail import KeptMail, was_sent_to
from core.outbox import OutboxMessage
from practice.accounts.models import Client, User
from practice.accounts.queries import user_with
from practice.intake.models import Assessment, FlagContact, Intake, IntakeAnswer, RiskFlag
from practice.matches.models import Proposal
from tests.builders.accounts import make_client, make_user
from tests.builders.counting import statements_of
from tests.builders.intake import make_flag, make_intake
from tests.builders.matches import make_request
from tests.conftest import NOW

CANARY = "canary-41c7 I have not slept since April – 夜"
PLAIN = {"synchronize_session": False}


@pytest.fixture
def told(session):
    """A client's answer with the canary in it, as the database has it."""
    client = make_client(session, consents=False)
    answer = IntakeAnswer(
        intake=Intake(client=client, started_at=NOW), page="story", value=CANARY, answered_at=NOW
    )
    session.add(answer)
    session.commit()
    session.expire_all()
    return answer


def raw(session, column, row):
    return session.scalar(sa.select(column).where(type(row).id == row.id))


def put(session, column, row, value):
    """Write the bytes of a column as somebody with the database in hand would."""
    session.execute(
        sa.update(type(row)).where(type(row).id == row.id).values({column: value}), {}, **PLAIN_WAY
    )
    session.commit()
    session.expire_all()


PLAIN_WAY = {"execution_options": PLAIN}


def test_what_was_written_is_read_and_the_database_holds_none_of_it(session, told):
    stored = raw(session, IntakeAnswer.value_sealed, told)
    assert told.value == CANARY
    assert CANARY[:11].encode() not in stored
    assert stored[0] == 1


def test_the_same_words_are_never_sealed_to_the_same_bytes(session, told):
    before = raw(session, IntakeAnswer.value_sealed, told)
    told.value = "x"
    session.flush()
    told.value = CANARY
    session.flush()
    assert raw(session, IntakeAnswer.value_sealed, told) != before


@pytest.mark.parametrize("value", [CANARY, 0, False, [], {"a": [1, None]}, "", "a\0", "x" * 5000])
def test_every_kind_of_value_comes_back(session, told, value):
    told.value = value
    session.commit()
    session.expire_all()
    assert told.value == value


def test_what_is_empty_needs_no_key_to_be_read(session, told):
    told.value = None
    session.commit()
    assert raw(session, IntakeAnswer.value_sealed, told) is None
    keys.destroy(session, told.intake.client.public_id)
    session.expire_all()
    assert told.value is None


def test_lengths_tell_nothing_within_a_bucket(session, told):
    lengths = set()
    for words in ("no", "yes, often", "x" * 60):
        told.value = words
        session.flush()
        lengths.add(len(raw(session, IntakeAnswer.value_sealed, told)))
    assert len(lengths) == 1


def test_a_value_pasted_into_another_row_of_the_same_person_does_not_open(session, told):
    other = IntakeAnswer(intake=told.intake, page="phq-9-1", value=1, answered_at=NOW)
    session.add(other)
    session.flush()
    put(session, "value_sealed", other, raw(session, IntakeAnswer.value_sealed, told))
    assert told.value == CANARY
    with pytest.raises(Unreadable):
        _ = other.value


def test_a_value_pasted_into_another_column_of_the_same_row_does_not_open(session):
    intake = make_intake(session)
    sheet = session.scalars(sa.select(Assessment).limit(1)).one()
    assert intake.client_id == sheet.client_id
    session.flush()
    put(session, "result_sealed", sheet, raw(session, Assessment.responses_sealed, sheet))
    assert isinstance(sheet.responses, list)
    with pytest.raises(Unreadable):
        _ = sheet.result


def test_a_value_pasted_into_another_persons_row_does_not_open(session, told):
    other = make_client(session, consents=False)
    theirs = IntakeAnswer(
        intake=Intake(client=other, started_at=NOW), page="story", value="mine", answered_at=NOW
    )
    session.add(theirs)
    session.flush()
    stolen = raw(session, IntakeAnswer.value_sealed, told)
    put(session, "value_sealed", theirs, stolen)
    with pytest.raises(Unreadable):
        _ = theirs.value


def test_a_value_pasted_into_another_table_does_not_open(session):
    flag = make_flag(session)
    request = make_request(session, flag.client)
    put(session, "shared_sealed", request, raw(session, RiskFlag.raised_by_sealed, flag))
    with pytest.raises(Unreadable):
        _ = request.shared


def test_a_whole_row_moved_to_somebody_else_does_not_open(session, told):
    other = make_client(session, consents=False)
    session.flush()
    intake = told.intake
    session.execute(
        sa.update(Intake).where(Intake.id == intake.id).values(client_id=other.id), {}, **PLAIN_WAY
    )
    session.commit()
    session.expire_all()
    with pytest.raises(Unreadable):
        _ = told.value


@pytest.mark.parametrize("place", [0, 20, 40, -1])
def test_a_changed_byte_is_noticed(session, told, place):
    stored = bytearray(raw(session, IntakeAnswer.value_sealed, told))
    stored[place] ^= 1
    if place == 0:
        # What does not even look sealed is refused before it can be stored.
        stored = bytearray(b"\x02" + stored[1:])
        session.execute(
            sa.update(IntakeAnswer.__table__)
            .where(IntakeAnswer.id == told.id)
            .values(value_sealed=sa.cast(sa.literal(bytes(stored), sa.LargeBinary), sa.LargeBinary))
        )
        session.commit()
        session.expire_all()
    else:
        put(session, "value_sealed", told, bytes(stored))
    with pytest.raises(Unreadable):
        _ = told.value


def test_a_value_that_was_not_sealed_cannot_reach_the_database(session, told):
    with pytest.raises((NotSealed, sa.exc.StatementError)):
        session.execute(
            sa.update(IntakeAnswer).where(IntakeAnswer.id == told.id).values(value_sealed=b"clear"),
            {},
            **PLAIN_WAY,
        )


def test_an_error_about_a_value_says_nothing_of_it(session, told):
    put(session, "value_sealed", told, raw(session, IntakeAnswer.value_sealed, told)[:-1] + b"\0")
    with pytest.raises(Unreadable) as thrown:
        _ = told.value
    assert "canary" not in f"{thrown.value!r} {thrown.value}"


def test_a_destroyed_key_takes_everything_of_its_realm_and_nothing_else(session):
    flag = make_flag(session)
    proposal = Proposal(
        client_id=flag.client_id, made_at=NOW, digest="d", weights_version=1,
        engine_version="1", client_inputs={"place": "US-WA"}, shown=[],
    )  # fmt: skip
    session.add(proposal)
    session.commit()
    assert keys.destroy(session, flag.client.public_id, Realm.personal) == 1
    session.commit()
    session.expire_all()
    with pytest.raises(Erased):
        _ = proposal.client_inputs
    assert flag.raised_by
    assert flag.client.preferred_name == "Sam"


def test_what_was_read_before_is_gone_in_the_same_session(session, told):
    assert told.value == CANARY
    keys.destroy(session, told.intake.client.public_id)
    with pytest.raises(Erased):
        _ = told.value


def test_a_key_destroyed_by_another_process_is_gone_with_the_next_transaction(session, told):
    assert told.value == CANARY
    owner = told.intake.client.public_id
    session.commit()
    with session.get_bind().begin() as other_process:
        other_process.execute(sa.delete(DataKey).where(DataKey.owner == owner))
    with unit_of_work() as later:
        assert later is session
        with pytest.raises(Erased):
            _ = told.value


def test_no_key_outlives_its_transaction(session, told):
    assert told.value == CANARY
    assert keys.ring(session).known
    session.commit()
    assert not keys.ring(session).known


def test_a_key_made_after_a_savepoint_that_was_undone_is_not_used_again(session):
    client = make_client(session, consents=False, preferred_name="")
    session.commit()
    client_id = client.id
    undone = session.begin_nested()
    session.add(Intake(client=client, started_at=NOW))
    client.preferred_name = "Robin"
    session.flush()
    undone.rollback()
    client.preferred_name = CANARY
    session.commit()
    session.expire_all()
    assert session.get(Client, client_id).preferred_name == CANARY


def test_a_row_that_is_added_again_after_a_savepoint_is_sealed_again(session):
    client = make_client(session, consents=False, preferred_name="")
    session.commit()
    intake = Intake(client=client, started_at=NOW)
    session.add(intake)
    session.flush()
    undone = session.begin_nested()
    answer = IntakeAnswer(intake_id=intake.id, page="story", value=CANARY, answered_at=NOW)
    session.add(answer)
    session.flush()
    undone.rollback()
    session.add(answer)
    session.commit()
    session.expire_all()
    assert answer.value == CANARY


def test_an_owner_is_found_by_foreign_keys_alone(session):
    flag = make_flag(session)
    contact = FlagContact(
        flag_id=flag.id, user_id=flag.client.user_id, at=NOW, manner="telephone", reached=True,
        words=CANARY,
    )  # fmt: skip
    session.add(contact)
    session.commit()
    session.expire_all()
    assert contact.words == CANARY
    [key] = session.scalars(
        sa.select(DataKey).where(DataKey.owner == flag.client.public_id, DataKey.realm == "record")
    )
    assert contact.words_sealed[1:17] == key.id


def test_twenty_people_cost_one_query_more_than_one(app, session):
    for number in range(20):
        make_intake(session, make_client(session, preferred_name=f"Number {number}"))
    session.commit()

    def reading(limit):
        session.rollback()
        session.expire_all()
        session.expunge_all()
        with statements_of(app) as seen:
            rows = session.scalars(sa.select(Assessment).order_by(Assessment.id).limit(limit)).all()
            assert all(row.result["status"] == "complete" for row in rows)
            people = session.scalars(sa.select(Client).limit(limit)).all()
            assert all(one.called.startswith("Number") for one in people)
        return len(seen)

    assert reading(40) <= reading(2)


def test_keys_can_be_loaded_ahead(app, session, told):
    with statements_of(app) as seen:
        prefetch(session, [told])
        loaded = len(seen)
        _ = told.value_sealed
        prefetch(session, [told])
    assert loaded <= 2
    assert told.value == CANARY


def test_an_address_is_found_however_it_is_written_and_its_index_says_nothing(session):
    user = make_user(session, "Robin.Doe@example.test")
    session.commit()
    assert user_with(session, "  robin.doe@EXAMPLE.test ") is user
    assert user_with(session, "robin@example.test") is None
    assert "robin" not in user.email_index
    assert user.email_index != blind_index("to", user.email)


def test_an_address_belongs_to_one_account(session):
    make_user(session, "robin@example.test")
    with pytest.raises(sa.exc.IntegrityError):
        make_user(session, "ROBIN@example.test")


def test_what_belongs_to_the_installation_is_sealed_under_its_own_key(session):
    mail = KeptMail(sent_at=NOW, to="Sam@example.test", subject="s", body=CANARY)
    session.add_all(
        [
            mail,
            OutboxMessage(
                kind="k", payload={"to": CANARY}, dedupe_key="k", posted_at=NOW, due_at=NOW
            ),
        ]
    )
    session.commit()
    session.expire_all()
    assert session.scalars(sa.select(KeptMail).where(was_sent_to("sam@example.test"))).one() is mail
    assert mail.body == CANARY
    assert session.scalars(sa.select(DataKey.owner)).all() == [SYSTEM]


def test_every_sealed_column_is_of_a_row_with_a_public_id(app):
    found = 0
    for mapper in User.registry.mappers:
        for column in sealed_columns(mapper.class_):
            found += 1
            assert "public_id" in mapper.columns, mapper.class_
            assert column.realm is Realm.system or column.path is not None
            owner = mapper.class_
            for name in column.path or ():
                owner = sa.inspect(owner).relationships[name].mapper.class_
            if column.path is not None:
                assert issubclass(owner, Client if column.realm is not Realm.account else User)
    assert found > 20


def test_public_ids_are_there_before_the_flush():
    assert isinstance(Intake(started_at=NOW).public_id, uuid.UUID)
    given = uuid.uuid4()
    assert Intake(public_id=given, started_at=NOW).public_id == given
