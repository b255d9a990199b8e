"""The weights: read, tried out on past lists, published as a new version, and the list again."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

import matching
from core.audit import AuditEntry
from core.database import db, unit_of_work
from core.errors import NotFound
from core.outbox import MOST_ATTEMPTS, drain
from practice.accounts.models import Role, User
from practice.consent.models import Purpose, Signature
from practice.matches.market import weighing
from practice.matches.market.index import market_at
from practice.matches.models import WeightsVersion
from practice.matches.operations import ensure_weights
from practice.oversight.models import WeightsPreview
from practice.oversight.weights import people as weights_people
from practice.oversight.weights import preview as weights_preview
from practice.privacy.operations import erase
from practice.waiting import runs
from tests.builders.accounts import look_again, make_user, sign_in
from tests.builders.consent import make_revocation
from tests.builders.matches import make_list, make_seeker
from tests.builders.therapists import make_therapist
from tests.builders.waiting import make_lead, make_waiting, placement_of
from tests.conftest import NOW

DEFAULT = matching.DEFAULT_WEIGHTS.by_factor
WEIGHTS = {**DEFAULT, "concerns": 50, "price": 360}
PAGE, NEW, REPLAY = "/oversight/weights", "/oversight/weights/new", "/oversight/replay"
REASON = "Many said that money decides."


@pytest.fixture
def ines(session, http):
    ensure_weights(session, NOW)
    ines = make_user(session, roles=[Role.administrator], name="Ines")
    sign_in(http, ines)
    return ines


@pytest.fixture
def previewed(session, ines):
    """Weights that were tried out by the worker; nobody was shown anything yet."""
    preview = weights_preview.ask(session, WEIGHTS, REASON, ines, NOW)
    session.commit()
    weights_preview.make(preview.public_id, NOW)
    look_again(session)
    return session.get(WeightsPreview, preview.id)


def page_of(http, address):
    return BeautifulSoup(http.get(address).text, "html.parser")


def versions(session):
    look_again(session)
    rows = sa.select(WeightsVersion).order_by(WeightsVersion.version)
    return session.scalars(rows).all()


def sent(http, weights=WEIGHTS, reason=REASON):
    return http.post(NEW, data={**weights, "reason": reason})


def publication(preview):
    return f"/oversight/weights/previews/{preview.public_id}/publication"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.administrator])
def test_nobody_but_an_administrator_sees_or_changes_them(session, http, previewed, role):
    sign_in(http, make_user(session, roles=[role]))
    for address in (PAGE, NEW, REPLAY, f"/oversight/weights/previews/{previewed.public_id}"):
        assert http.get(address).status_code == 404
    for address in (NEW, REPLAY, publication(previewed)):
        assert http.post(address).status_code == 404
    assert len(versions(session)) == 1


def test_those_in_force_and_what_each_version_changed_stand_there(session, http, ines):
    weighing.publish(session, WEIGHTS, REASON, ines, NOW, after=1)
    session.commit()
    page = page_of(http, PAGE).text
    assert "In force: version 2" in page
    assert "Price: 110 became 360" in page
    assert REASON in page
    assert "Ines" in page
    assert "The product’s own" in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"hours": ""}, "Please give a whole number from 0 to 1000."),
        ({"hours": "15.5"}, "Please give a whole number from 0 to 1000."),
        ({"hours": "-1"}, "Please give a whole number from 0 to 1000."),
        ({"hours": "1001"}, "Please give a whole number from 0 to 1000."),
        ({"hours": "9" * 400}, "Please give a whole number from 0 to 1000."),
        ({"reason": "  "}, "Please say why."),
    ],
)
def test_what_is_amiss_stands_beside_its_field_and_what_was_typed_stays(
    session, http, ines, changed, words
):
    answer = http.post(NEW, data={**WEIGHTS, "reason": REASON} | changed)
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    [name] = changed
    assert words in page.select_one(f"#{name}-error").text
    assert page.select_one(f"#{name}-error").text.count(".") == 1
    assert page.select_one("#price")["value"] == "360"
    assert session.scalar(sa.select(WeightsPreview.id)) is None


@pytest.mark.parametrize(
    ("hours", "left"),
    [
        (100, "950 are given; 50 are left to give."),
        (190, "1040 are given; that is 40 too many."),
    ],
)
def test_what_is_left_to_give_is_said(http, ines, hours, left):
    answer = sent(http, WEIGHTS | {"hours": hours})
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.select_one("#left").text == left
    assert left in page.select_one(".error-summary").text


def test_a_sum_that_is_wrong_is_said_beside_what_else_is_amiss(http, ines):
    page = BeautifulSoup(sent(http, WEIGHTS | {"hours": 100}, "").text, "html.parser")
    summary = page.select_one(".error-summary").text
    assert "50 are left to give" in summary
    assert "Please say why." in summary


def test_those_in_force_are_no_new_version(session, http, ines):
    answer = sent(http, DEFAULT)
    assert answer.status_code == 422
    assert "Nothing would change" in answer.text


def test_they_are_tried_out_in_the_background_and_then_published(app, session, http, ines):
    make_therapist(session)
    make_list(session)
    session.commit()
    address = sent(http).location
    assert "They are being tried out" in http.get(address).text
    assert "Publish as version 2" not in http.get(address).text
    assert drain(app, NOW) >= 1
    page = page_of(http, address).text
    assert "Fewer than ten people who were shown a list" in page
    assert "Too few people to say anything" in page
    assert "Price: 110 becomes 360" in page
    assert http.post(f"{address}/publication").location == PAGE
    first, second = versions(session)
    assert (second.weights, second.reason, second.decided_by_id) == (WEIGHTS, REASON, ines.id)
    assert first.weights == DEFAULT
    acts = sa.select(AuditEntry).where(AuditEntry.action.like("weights.%")).order_by(AuditEntry.id)
    asked, made, published = session.scalars(acts)
    assert asked.details == {
        "changed": "What they would like help with 300 to 50, Price 110 to 360"
    }
    assert (made.actor_id, made.details) == (None, {})
    assert (published.actor_id, published.details["version"]) == (ines.public_id, 2)
    assert published.details["why"] == REASON
    assert published.client_id is None


def test_a_preview_that_the_worker_gave_up_is_called_so_and_can_be_asked_for_again(
    app, session, http, ines, monkeypatch
):
    address = sent(http).location
    with monkeypatch.context() as patch:
        patch.setattr(weights_preview, "figures_of", None)
        for hours in range(MOST_ATTEMPTS):
            assert "could not be tried out" not in http.get(address).text
            drain(app, NOW + timedelta(hours=2 * hours))
    for page in (http.get(address).text, http.get(PAGE).text):
        assert "could not be tried out" in page
        assert "being tried out" not in page
    again = sent(http).location
    drain(app, NOW + timedelta(days=1))
    assert "Publish as version 2" in http.get(again).text


def test_nothing_is_published_that_nobody_could_have_read(session, http, ines):
    preview = weights_preview.ask(session, WEIGHTS, REASON, ines, NOW)
    session.commit()
    answer = http.post(publication(preview), follow_redirects=True)
    assert "The preview is not finished" in answer.text
    assert len(versions(session)) == 1


def test_other_weights_need_a_preview_of_their_own(session, http, previewed):
    """What is sent along with the publication counts for nothing: the preview is published."""
    answer = http.post(publication(previewed), data={**DEFAULT, "hours": 160, "format": 40})
    assert answer.location == PAGE
    assert versions(session)[-1].weights == WEIGHTS
    other = sent(http, WEIGHTS | {"price": 350, "record": 60}).location
    assert "Publish as version" not in http.get(other).text


def test_of_two_administrators_at_once_the_second_looks_again(session, http, previewed, ines):
    weighing.publish(session, DEFAULT | {"hours": 100, "price": 160}, "Other.", ines, NOW, after=1)
    session.commit()
    address = f"/oversight/weights/previews/{previewed.public_id}"
    assert "Other weights came into force meanwhile" in http.get(address).text
    answer = http.post(f"{address}/publication", follow_redirects=True)
    assert "Other weights came into force meanwhile" in answer.text
    assert len(versions(session)) == 2


def test_two_who_write_the_same_number_at_the_same_moment_get_one_version(
    session, ines, monkeypatch
):
    before = weighing._newest(session)
    weighing.publish(session, WEIGHTS, REASON, ines, NOW, after=1)
    monkeypatch.setattr(weighing, "_newest", lambda _session: before)
    with pytest.raises(weighing.NewerWeights):
        weighing.publish(session, WEIGHTS, REASON, ines, NOW, after=1)


def test_what_was_published_from_a_preview_is_not_published_again(session, http, previewed):
    for _ in range(2):
        answer = http.post(publication(previewed), follow_redirects=True)
    assert "published from this preview already" in answer.text
    assert len(versions(session)) == 2


def test_a_preview_is_good_for_a_week(session, previewed, ines):
    late = NOW + timedelta(days=7, seconds=1)
    with pytest.raises(weights_preview.TooOld):
        weights_preview.publish(session, previewed.public_id, ines, late)
    assert len(versions(session)) == 1


def test_publishing_asks_for_a_fresh_proof(session, http, clock, previewed):
    clock.move_to(NOW + timedelta(minutes=16))
    assert "/confirm-it-is-you" in http.post(publication(previewed)).location
    assert len(versions(session)) == 1


def test_a_preview_that_does_not_exist_is_not_found(session, ines):
    with pytest.raises(NotFound):
        weights_preview.publish(session, ines.public_id, ines, NOW)


def test_an_older_version_comes_back_as_a_new_one(session, http, previewed):
    http.post(publication(previewed))
    first = versions(session)[0]
    page = page_of(http, f"{NEW}?again={first.public_id}")
    assert "These are the weights of version 1" in page.text
    assert page.select_one("#price")["value"] == "110"
    assert page.select_one("#reason").text.strip() == ""
    address = sent(http, DEFAULT, "It was better before.").location
    weights_preview.make(preview_at(session, address).public_id, NOW)
    http.post(f"{address}/publication")
    assert [row.weights for row in versions(session)] == [DEFAULT, WEIGHTS, DEFAULT]


def preview_at(session, address):
    look_again(session)
    found = session.scalars(sa.select(WeightsPreview).order_by(WeightsPreview.id.desc())).first()
    assert str(found.public_id) in address
    return found


def test_they_count_at_once_for_whoever_has_laid_out_the_market(session, http, previewed):
    make_therapist(session)
    session.commit()
    kept = market_at(NOW, "US-WA")
    assert kept.weights.version == 1
    db.session.rollback()
    http.post(publication(previewed))
    look_again(session)
    assert market_at(NOW, "US-WA") is kept
    assert (kept.weights.version, kept.weights.by_factor) == (2, WEIGHTS)


def test_a_run_of_the_waiting_list_is_of_one_version(session, ines, monkeypatch):
    make_therapist(session, skills={}, fee=1000)
    waiting, run = make_waiting(session), runs.ask(session, make_lead(session), NOW)
    session.commit()
    real, lists = runs.propose, []

    def overtaken(waiters):
        lists.append(waiters[0].candidates)
        if len(lists) == 1:
            with unit_of_work() as writing:
                actor = writing.get(User, ines.id)
                weighing.publish(writing, WEIGHTS, REASON, actor, NOW, after=1)
        return real(waiters)

    monkeypatch.setattr(runs, "propose", overtaken)
    runs.make(run.public_id, NOW)
    look_again(session)
    assert len(lists) == 2
    assert lists[0] != lists[1] == placement_of(session, waiting).candidates
    assert run.weights_version == 2


def test_the_newest_list_of_each_person_counts_while_their_notice_stands(session, ines):
    make_therapist(session)
    first, second, gone, back, old = (make_seeker(session) for _ in range(5))
    older = make_list(session, first, at=NOW - timedelta(days=2))
    make_therapist(session, "Another One")
    newest = make_list(session, first)
    other = make_list(session, second)
    for client in (gone, back):
        make_list(session, client)
    make_list(session, old, at=NOW - timedelta(days=200))
    erase(session, gone, None, NOW)
    notice = sa.and_(Signature.client_id == back.id, Signature.purpose == Purpose.privacy_notice)
    make_revocation(session, session.scalars(sa.select(Signature).where(notice)).one())
    session.commit()
    found, keys = weights_people.newest_lists(NOW - weights_people.LOOKED_BACK)
    assert (found, set(keys)) == (2, {newest.id, other.id})
    assert older.id not in keys
    assert weights_people.newest_lists(NOW - weights_people.LOOKED_BACK, most=1)[0] == 2


def test_both_lists_are_of_the_same_market_and_differ_by_the_weights_alone(session, ines):
    near = make_therapist(session, "Knows It", skills={"panic": 3, "grief": 3}, fee=20000)
    cheap = make_therapist(session, "Costs Little", skills={}, fee=1000)
    proposal = make_list(session, make_seeker(session, payment=paying(15000)))
    session.commit()
    trial = matching.DEFAULT_WEIGHTS, matching.Weights.from_mapping(2, WEIGHTS)
    # Whoever was too dear then and is not any more counts, as does whoever has no room now.
    near.sliding_from = 12000
    session.commit()
    [seen] = weights_people.seen_by([proposal.id], trial, NOW)
    ids = {str(near.public_id): "near", str(cheap.public_id): "cheap"}
    assert [ids[each] for each in seen.before] == ["near", "cheap"]
    assert [ids[each] for each in seen.after] == ["cheap", "near"]
    assert seen.groups["state"] == "Washington"
    assert set(seen.groups) == {"age", "language", "state", "payment"}
    assert {"concerns", "price"} <= set(seen.met)
    assert "record" not in seen.met
    assert seen.gained == seen.given_up == 0
    assert not seen.is_somebody_new


def test_each_list_is_the_best_by_its_own_weights_and_the_other_way_round_gains_are_losses(
    session, ines
):
    chance = random.Random(7)
    for number in range(12):
        skills = {"panic": chance.randrange(4), "grief": chance.randrange(4)}
        stated = {code: each for code, each in skills.items() if each}
        fee = chance.randrange(6, 30) * 1000
        make_therapist(session, f"Person {number}", skills=stated, fee=fee, sliding_from=5000)
    seekers = [make_seeker(session, payment=paying(6000 + 2500 * each)) for each in range(6)]
    keys = [make_list(session, seeker).id for seeker in seekers]
    session.commit()
    trial = matching.DEFAULT_WEIGHTS, matching.Weights.from_mapping(2, WEIGHTS)
    there = list(weights_people.seen_by(keys, trial, NOW))
    back = list(weights_people.seen_by(keys, trial[::-1], NOW))
    assert any(one.is_somebody_new for one in there)
    for one, other in zip(there, back, strict=True):
        assert one.gained >= 0
        assert one.given_up >= 0
        assert one.on_balance == pytest.approx(-other.on_balance)
        assert (one.before, one.after) == (other.after, other.before)


def paying(budget):
    return {"kind": "self-pay", "insurer": None, "budget": budget, "currency": "USD"}


def test_a_list_that_does_not_open_is_left_out_and_said(session, ines):
    make_therapist(session)
    proposal, other = make_list(session), make_list(session)
    moved = sa.update(type(proposal)).where(type(proposal).id == proposal.id)
    session.execute(moved.values(client_inputs_sealed=other.client_inputs_sealed))
    session.commit()
    preview = weights_preview.ask(session, WEIGHTS, REASON, ines, NOW)
    session.commit()
    number = preview.public_id
    weights_preview.make(number, NOW)
    figures = weights_preview.preview_with(number).figures
    assert (figures["unread"], figures["people"]) == (1, 1)


def test_a_preview_names_nobody(session, http, ines, app):
    make_therapist(session, "Rosa Almeida")
    make_list(session, make_seeker(session, story="SECRET-WORDS"))
    session.commit()
    address = sent(http).location
    drain(app, NOW)
    page = http.get(address).text
    for word in ("Rosa", "Sam", "SECRET-WORDS"):
        assert word not in page


def test_a_preview_says_of_no_single_person_that_they_were_shown_a_list(session, http, ines, app):
    """Neither its page nor the log: with one list more between them both would tell of that."""
    make_therapist(session)
    said = []
    for count in (11, 1):
        for _ in range(count):
            make_list(session)
        session.commit()
        address = sent(http).location
        drain(app, NOW)
        said.append(page_of(http, address).find("h2", string="For people").parent.text)
    assert said[0] == said[1]
    assert "About 10 people who were shown a list" in said[0]
    acts = sa.select(AuditEntry.details).where(AuditEntry.action == "weights.previewed")
    assert session.scalars(acts).all() == [{}, {}]


def test_where_points_were_not_kept_a_replay_promises_no_more_than_it_can_see(session, http, ines):
    make_therapist(session)
    proposal = make_list(session)
    session.execute(sa.update(type(proposal)).values(points_sealed=None))
    session.commit()
    answer = http.post(REPLAY, data={"number": str(proposal.public_id), "reason": "check"})
    assert "Equal, as far as can be told" in answer.text
    assert "Equal to the point" not in answer.text


def test_a_made_preview_is_not_made_again(session, previewed):
    figures, made_at = previewed.figures, previewed.made_at
    weights_preview.make(previewed.public_id, NOW + timedelta(hours=1))
    look_again(session)
    assert (previewed.figures, previewed.made_at) == (figures, made_at)


def test_a_list_is_worked_out_by_its_number_and_a_reason(session, http, ines):
    make_therapist(session, "Rosa Almeida")
    proposal = make_list(session)
    session.commit()
    answer = http.post(REPLAY, data={"number": f" {proposal.public_id} ", "reason": "asked"})
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "html.parser")
    assert "Equal to the point" in page.text
    assert "1. Rosa Almeida" in page.text
    assert f"{proposal.points[0]['hours']:,}" in page.text
    assert f"{sum(proposal.points[0].values()):,}" in page.select_one("tfoot").text
    look_again(session)
    [act] = session.scalars(sa.select(AuditEntry).where(AuditEntry.action.like("match_replay.%")))
    assert act.actor_id == ines.public_id
    assert act.client_id == proposal.client.public_id
    assert act.subject_id == proposal.public_id
    assert act.details == {"reason": "asked"}


def test_a_replay_shows_neither_answers_nor_whose_list_it_is(session, http, ines):
    make_therapist(
        session, "Rosa Almeida", languages=["es", "en"], identities={"gender": ["woman"]}
    )
    client = make_seeker(
        session,
        story="SECRET-WORDS",
        languages=["es"],
        payment=paying(17700),
        wishes={"gender": {"want": ["woman"], "strength": "would_like"}},
    )
    client.preferred_name = "Samantha-7"
    proposal = make_list(session, client)
    session.commit()
    answer = http.post(REPLAY, data={"number": str(proposal.public_id), "reason": "check"})
    assert "Equal to the point" in answer.text
    told = BeautifulSoup(answer.text, "html.parser").select_one("main").text.lower()
    secrets = ("samantha", "secret", "177", "spanish", "woman", "washington", "panic", "grief")
    for word in (*secrets, client.user.email, str(client.public_id), " met", "1990"):
        assert word not in told


def test_no_row_no_replay(app, session, http, ines, monkeypatch):
    make_therapist(session, "Rosa Almeida")
    proposal = make_list(session)
    session.commit()

    def fails(*_arguments, **_values):
        raise RuntimeError("the log cannot be written")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("core.audit.record", fails)
    answer = http.post(REPLAY, data={"number": str(proposal.public_id), "reason": "asked"})
    assert answer.status_code == 500
    assert "Rosa" not in answer.text


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"number": "seven", "reason": "asked"}, "number", "That is no number of a list."),
        ({"number": "", "reason": "asked"}, "number", "Please give the number."),
        ({"number": "1" * 32}, "reason", "Please choose why."),
    ],
)
def test_a_number_and_a_reason_are_asked_for(http, ines, data, field, words):
    answer = http.post(REPLAY, data=data)
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "html.parser")
    assert words in page.select_one(f"#{field}-error").text


def test_a_number_without_a_list_is_answered_with_what_may_have_happened(http, ines):
    number = "11111111-2222-4333-8444-555555555555"
    answer = http.post(REPLAY, data={"number": number, "reason": "asked"})
    assert answer.status_code == 422
    assert "has asked to be forgotten" in answer.text


def test_a_replay_asks_for_a_fresh_proof(http, clock, ines):
    clock.move_to(NOW + timedelta(minutes=16))
    for answer in (http.get(REPLAY), http.post(REPLAY)):
        assert "/confirm-it-is-you" in answer.location
