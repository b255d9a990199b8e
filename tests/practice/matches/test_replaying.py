"""A list that was shown is worked out again to the point, whatever has changed since."""

import random
import uuid

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.cli import ScriptInfo

import matching
from core.audit import AuditEntry
from core.database import db
from practice.accounts.models import Role
from practice.care.queries import openings_of
from practice.consent.models import Purpose, Signature
from practice.matches import kept, operations, replaying
from practice.matches.commands import match_command
from practice.matches.market import weighing
from practice.matches.market.index import market_at
from practice.matches.market.prices import set_prices
from practice.matches.models import Proposal, WeightsVersion
from practice.matches.replaying import GONE, NoSuchList, ReplayReason, Verdict, replay, replayed
from practice.privacy.operations import erase
from tests.builders.accounts import make_client, make_user
from tests.builders.consent import make_revocation
from tests.builders.matches import make_list
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.matching.worlds import ON, random_client, random_therapists

WEIGHTS = {**matching.DEFAULT_WEIGHTS.by_factor, "hours": 250, "concerns": 200}
LISTS = 60


@pytest.fixture
def therapists(session):
    return [
        make_therapist(session, name, fee=9000 + 1500 * number, skills={"panic": 3 - number})
        for number, name in enumerate(("Ana Alder", "Ben Birch", "Cora Cedar"))
    ]


@pytest.fixture
def shown(session, therapists):
    return make_list(session)


def anew(session, proposal):
    """As a later day reads it: nothing of it is in memory."""
    session.flush()
    session.expire_all()
    return session.get(Proposal, proposal.id)


def looked_at(session, number, reason=ReplayReason.asked, actor=None):
    return replay(
        session,
        number,
        reason,
        actor_id=actor.public_id if actor else None,
        actor_role=Role.administrator,
        at=NOW,
    )


def test_it_comes_out_to_the_point_line_by_line_and_in_order(session, shown):
    found = looked_at(session, shown.public_id)
    assert found.verdict is Verdict.same
    assert [one.name for one in found.therapists] == ["Ana Alder", "Ben Birch", "Cora Cedar"]
    for one, points in zip(found.therapists, shown.points, strict=True):
        told = {weighing.FACTOR_NAMES[name]: each for name, each in points.items()}
        assert {line.label: line.now for line in one.lines} == told
        assert {line.label: line.shown for line in one.lines} == told
        assert one.total == one.total_shown == sum(points.values()) > 0
        assert [line.weight for line in one.lines] == [*matching.DEFAULT_WEIGHTS.by_factor.values()]


def test_any_list_comes_out_as_it_was_after_weights_prices_and_therapists_have_changed(session):
    chance = random.Random(20261122)
    administrator = make_user(session, roles=[Role.administrator])
    operations.ensure_weights(session, NOW)
    lists = [proposed(session, chance) for _ in range(LISTS)]
    weighing.publish(session, WEIGHTS, "Hours matter more.", administrator, NOW, after=1)
    costly = {one["id"]: 90_000 for proposal, _ in lists for one in proposal.shown}
    set_prices(session, costly, NOW)
    session.expire_all()
    priced = 0
    for proposal, ranked in lists:
        found = replayed(session.get(Proposal, proposal.id))
        assert found.verdict is Verdict.same
        assert found.weights_version == 1
        points = [[line.now for line in one.lines] for one in found.therapists]
        assert points == [[*match.points.values()] for match in ranked]
        priced += any(matching.NEEDED_ELSEWHERE in match.points for match in ranked)
    assert 0 < priced < LISTS


def proposed(session, chance):
    """A random list as the engine ranked it, and that ranking itself."""
    world = random_therapists(chance, 60)
    weights, prices = matching.DEFAULT_WEIGHTS, random_prices(chance, world)
    index = matching.Index(world, on=ON)
    ranked = ()
    while not ranked:
        client = random_client(chance, world)
        ranked = index.rank(client, weights, 5, prices).results
    shown = [index.therapist(match.id) for match in ranked]
    owner = make_client(session, consents=False)
    return operations.keep_proposal(session, owner, client, shown, weights, NOW, prices), ranked


def random_prices(chance, world):
    if chance.random() < 0.5:
        return matching.Prices({})
    return matching.Prices({one.id: chance.randrange(50_000) for one in world})


def test_what_was_changed_in_the_record_is_told(session, shown):
    changed = [dict(one) for one in shown.shown]
    changed[0]["fee"] = 1
    shown.shown = changed
    assert replayed(anew(session, shown)).verdict is Verdict.changed


@pytest.mark.parametrize("column", ["digest", "engine_version", "weights_version"])
def test_a_column_in_the_clear_that_was_changed_is_told(session, shown, therapists, column):
    operations.ensure_weights(session, NOW)
    administrator = make_user(session, roles=[Role.administrator])
    weighing.publish(session, WEIGHTS, "Hours.", administrator, NOW, after=1)
    values = {"digest": "0" * 64, "engine_version": "0", "weights_version": 2}
    session.execute(sa.update(Proposal).values({column: values[column]}))
    assert replayed(anew(session, shown)).verdict is Verdict.changed


def test_a_sealed_value_that_was_moved_here_from_another_row_is_told(session, shown):
    other = make_list(session)
    sealed = {"client_inputs_sealed": other.client_inputs_sealed}
    session.execute(sa.update(Proposal).where(Proposal.id == shown.id).values(sealed))
    found = looked_at(session, anew(session, shown).public_id)
    assert found.verdict is Verdict.unopened
    assert found.therapists == []
    assert session.scalars(sa.select(AuditEntry.action)).all().count(replaying.VIEWED) == 1


def test_weights_that_were_changed_behind_the_records_are_told_beside_what_was_shown(
    session, shown
):
    before = shown.points[0]["hours"]
    table = WeightsVersion.__table__
    session.execute(table.update().values(weights=WEIGHTS))
    found = replayed(anew(session, shown))
    assert found.verdict is Verdict.other_points
    [hours] = [line for line in found.therapists[0].lines if line.label == "Hours"]
    assert (hours.shown, hours.weight, hours.is_same) == (before, 250, False)


def test_another_engine_that_reckons_alike_is_said_and_equal(session, shown, monkeypatch):
    monkeypatch.setattr(matching, "ENGINE_VERSION", "77")
    found = replayed(anew(session, shown))
    assert found.is_of_another_engine
    assert found.verdict is Verdict.same


def test_another_engine_that_reckons_otherwise_shows_both(session, shown, monkeypatch):
    def dearer(*arguments):
        return [points | {"price": points["price"] - 1} for points in real(*arguments)]

    real = kept.points_of
    monkeypatch.setattr(matching, "ENGINE_VERSION", "77")
    monkeypatch.setattr(replaying, "points_of", dearer)
    found = replayed(anew(session, shown))
    assert found.verdict is Verdict.other_points
    assert [line.label for line in found.therapists[0].lines if not line.is_same] == ["Price"]
    assert found.therapists[0].total == found.therapists[0].total_shown - 1


def test_a_list_from_before_points_were_kept_rests_on_its_digest(session, shown, monkeypatch):
    shown.points = []
    found = replayed(anew(session, shown))
    assert (found.verdict, found.has_points) == (Verdict.same, False)
    monkeypatch.setattr(matching, "ENGINE_VERSION", "77")
    assert replayed(anew(session, shown)).verdict is Verdict.unknown


def test_a_therapist_whose_profile_has_gone_has_no_name_and_the_same_points(session):
    found = replayed(proposed(session, random.Random(1))[0])
    assert {one.name for one in found.therapists} == {GONE}
    assert found.verdict is Verdict.same


def test_each_look_is_written_down_for_the_person_with_the_reason(session, shown):
    ines = make_user(session, name="Ines", roles=[Role.administrator])
    looked_at(session, shown.public_id, ReplayReason.complaint, ines)
    [opening] = openings_of(shown.client)
    assert opening.who_label == "Ines"
    assert opening.reason_label == ReplayReason.complaint.label
    assert "without your answers" in opening.what_label


def test_a_number_that_is_nobodys_is_refused_and_writes_nothing(session, shown):
    with pytest.raises(NoSuchList):
        looked_at(session, uuid.uuid4())
    assert replaying.VIEWED not in session.scalars(sa.select(AuditEntry.action)).all()


def test_whoever_took_back_the_privacy_notice_is_not_worked_out(session, shown):
    notice = Signature.purpose == Purpose.privacy_notice
    make_revocation(session, session.scalars(sa.select(Signature).where(notice)).one())
    with pytest.raises(NoSuchList):
        looked_at(session, shown.public_id)


def test_whoever_was_forgotten_is_not_worked_out(session, shown):
    number = shown.public_id
    erase(session, shown.client, None, NOW)
    session.commit()
    with pytest.raises(NoSuchList, match="asked to be forgotten"):
        looked_at(session, number)


def test_a_proposal_looks_at_nothing_of_the_market_of_now(session, shown, therapists):
    for therapist in therapists:
        therapist.open_places, therapist.fee, therapist.skills = 0, 90000, {}
    session.flush()
    with market_at(NOW, "US-WA").held() as index:
        assert index.therapist(str(therapists[0].public_id)).fee == 90000
    assert replayed(anew(session, shown)).verdict is Verdict.same


@pytest.fixture
def command(app, session):
    def run(*arguments):
        session.commit()
        obj = ScriptInfo(create_app=lambda: app)
        return CliRunner().invoke(match_command, [*map(str, arguments)], obj=obj)

    return run


def test_on_the_command_line_it_is_told_line_by_line(session, command, shown):
    answer = command("replay", shown.public_id)
    assert answer.exit_code == 0
    lines = answer.stdout.splitlines()
    assert "weights version 1" in lines[0]
    assert "Ana Alder" in answer.stdout
    assert str(shown.points[0]["hours"]) in answer.stdout
    assert lines[-1] == "equal to the point"
    db.session.rollback()
    [act] = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == replaying.VIEWED))
    assert (act.actor_id, act.actor_role, act.details) == (None, "operator", {"reason": "check"})


def test_on_the_command_line_a_difference_ends_with_one(session, command, shown):
    session.execute(sa.update(Proposal).values(digest="0" * 64))
    answer = command("replay", shown.public_id)
    assert answer.exit_code == 1
    assert answer.stderr.splitlines() == [
        "attune: what is kept is not what was written down when it was shown"
    ]


@pytest.mark.parametrize(("number", "code"), [(uuid.UUID(int=7), 1), ("seven", 2)])
def test_on_the_command_line_what_cannot_be_is_one_line(command, number, code):
    answer = command("replay", number)
    assert answer.exit_code == code
    assert answer.stdout == ""
