"""An administrator, and a clinical lead, are made by two."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from core.audit import AuditEntry
from core.errors import WrongState
from practice.accounts import operations, proposals
from practice.accounts.models import FactorReset, FactorResetState, Role, RoleProposal, User
from practice.accounts.operations import SecondAdministratorNeeded
from practice.accounts.passwords import hash_password
from practice.accounts.queries import user_with
from practice.accounts.two_people import NEW_FOR, OneHand
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.second_factors import give_app
from tests.conftest import NOW
from tests.practice.accounts.mailbox import link_in, mails_to

PAGE = "/oversight/proposals"
MINE = "mailbox.of.mine@example.test"
PASSWORD = "tea in the rain"
ROLES = ["administrator", "clinical_lead", "duty_clinician", "records_custodian"]


def administrator(app, session, name, **columns):
    """Somebody who administers, with their browser."""
    user = make_user(
        session, f"{name.lower()}@example.test", roles=[Role.administrator], name=name, **columns
    )
    browser = app.test_client()
    sign_in(browser, user)
    return user, browser


@pytest.fixture
def ada(app, http, session):
    return administrator(app, session, "Ada")


@pytest.fixture
def bea(app, http, session):
    return administrator(app, session, "Bea")


@pytest.fixture
def colleague(session):
    colleague = make_user(session, "piotr@example.test", roles=[Role.moderator], name="Piotr")
    session.commit()
    return colleague


def invite(browser, role="administrator", email=MINE, name="A new one"):
    data = {"name": name, "email": email, "roles": [role]}
    return browser.post("/oversight/staff/invitation", data=data)


def change(browser, person, *roles):
    data = {"roles": list(roles), "confirmed": "yes"}
    return browser.post(f"/oversight/staff/{person.public_id}/roles", data=data)


def answer(browser, proposal, word="agreement"):
    return browser.post(f"{PAGE}/{proposal.public_id}/{word}", follow_redirects=True)


def proposed(session) -> RoleProposal:
    look_again(session)
    return session.scalars(sa.select(RoleProposal).order_by(RoleProposal.id.desc())).first()


def take_up(app, session, email=MINE):
    """The invited person chooses a password and sets up a second factor."""
    link = link_in([one for one in mails_to(session, email) if "/invitation/" in one["body"]][-1])
    assert app.test_client().post(link, data={"password": PASSWORD}).status_code == 303
    look_again(session)
    user = user_with(session, email)
    browser = app.test_client()
    sign_in(browser, user)
    return user, browser


def subjects(session, address) -> list[str]:
    return [mail["subject"] for mail in mails_to(session, address)]


def changed(session, address) -> int:
    """How often this address was told that one administrator alone changed who answers."""
    return sum("answers for this place" in one for one in subjects(session, address))


def has_role(session, user, role=Role.administrator) -> bool:
    look_again(session)
    return user.has(role)


@pytest.mark.parametrize("role", ROLES)
def test_an_invitation_waits_until_another_administrator_agrees(app, session, ada, bea, role):
    page = invite(ada[1], role)
    assert page.location == PAGE
    proposal = proposed(session)
    assert user_with(session, MINE) is None
    assert mails_to(session, MINE) == []
    assert "A new one" in bea[1].get(PAGE).text
    assert "You both agree" in answer(bea[1], proposal).text
    user, _ = take_up(app, session)
    assert user.roles == {Role(role)}


@pytest.mark.parametrize("role", ROLES)
def test_a_change_of_roles_waits_too_and_changes_nothing_until_then(
    app, session, ada, bea, colleague, role
):
    theirs = app.test_client()
    sign_in(theirs, colleague)
    change(ada[1], colleague, "supervisor", role)
    look_again(session)
    assert colleague.roles == {Role.moderator}
    assert theirs.get("/account").status_code == 200
    answer(bea[1], proposed(session))
    look_again(session)
    assert colleague.roles == {Role.supervisor, Role(role)}
    assert theirs.get("/account").status_code == 303


def test_whoever_proposed_cannot_agree(session, ada, bea, colleague):
    change(ada[1], colleague, "administrator")
    assert "waits for somebody other than you" in ada[1].get(PAGE).text
    assert "cannot confirm it as well" in answer(ada[1], proposed(session)).text
    assert not has_role(session, colleague)


def test_nobody_agrees_to_a_role_of_their_own(app, session, ada, bea):
    administrator(app, session, "Cleo")
    change(ada[1], bea[0], "administrator", "clinical_lead")
    assert "about you" in bea[1].get(PAGE).text
    assert "Nobody gives themselves a role" in answer(bea[1], proposed(session)).text
    assert not has_role(session, bea[0], Role.clinical_lead)


def test_another_refuses_and_nothing_changes(session, ada, bea, colleague):
    change(ada[1], colleague, "administrator")
    proposal = proposed(session)
    assert "Nothing changes" in answer(bea[1], proposal, "refusal").text
    assert answer(bea[1], proposal).status_code == 404
    assert not has_role(session, colleague)
    assert "refused" in bea[1].get(PAGE).text


def test_whoever_proposed_takes_it_back(session, ada, bea, colleague):
    change(ada[1], colleague, "administrator")
    proposal = proposed(session)
    answer(ada[1], proposal, "refusal")
    assert "taken back" in bea[1].get(PAGE).text
    assert answer(bea[1], proposal).status_code == 404


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (0, 404)])
def test_a_proposal_lapses_after_a_week_to_the_second(
    app, session, clock, ada, bea, colleague, late, status
):
    change(ada[1], colleague, "administrator")
    clock.move(proposals.GOOD_FOR + timedelta(seconds=late))
    sign_in(bea[1], session.merge(bea[0]))
    assert ("lapsed" in bea[1].get(PAGE).text) is (late == 0)
    assert answer(bea[1], proposed(session)).status_code == status
    assert has_role(session, colleague) is (status == 200)


def test_a_proposal_ends_with_the_administration_of_who_made_it(app, session, ada, bea, colleague):
    change(ada[1], colleague, "administrator")
    bea[1].post(f"/oversight/staff/{ada[0].public_id}/closure")
    assert answer(bea[1], proposed(session)).status_code == 404
    assert not has_role(session, colleague)


def test_closing_an_account_ends_what_was_proposed_for_it(session, clock, ada, bea, colleague):
    """Else whoever closes it could open it again with a yes to what was proposed before."""
    change(ada[1], colleague, "administrator")
    clock.move(timedelta(seconds=1))
    bea[1].post(f"/oversight/staff/{colleague.public_id}/closure")
    assert "lapsed" in bea[1].get(PAGE).text
    assert answer(bea[1], proposed(session)).status_code == 404
    look_again(session)
    assert colleague.is_disabled
    assert colleague.roles == {Role.moderator}


def test_another_change_of_roles_ends_what_was_proposed_before(session, clock, ada, bea, colleague):
    """A role that was taken away meanwhile does not come back with a yes to something else."""
    change(ada[1], colleague, "moderator", "administrator")
    clock.move(timedelta(seconds=1))
    change(bea[1], colleague, "supervisor")
    assert answer(bea[1], proposed(session)).status_code == 404
    look_again(session)
    assert colleague.roles == {Role.supervisor}
    change(ada[1], colleague, "administrator")
    answer(bea[1], proposed(session))
    assert has_role(session, colleague)


def test_an_open_account_is_not_opened_again(session, ada, bea, colleague):
    """Its roles would count as given now, by one alone."""
    for person in (colleague, bea[0]):
        address = f"/oversight/staff/{person.public_id}"
        answered = ada[1].post(f"{address}/reopening", follow_redirects=True)
        assert "has changed since you opened the page" in answered.text
        with pytest.raises(WrongState):
            operations.enable(session, person, ada[0], NOW)
    assert proposed(session) is None
    assert [row.granted_by_id for row in colleague.role_rows] == [None]


def test_the_same_is_not_proposed_twice(session, ada, bea, colleague):
    invite(ada[1])
    change(ada[1], colleague, "administrator")
    for again in (invite(bea[1]), change(bea[1], colleague, "clinical_lead")):
        assert again.status_code == 422
        assert "waits for a second administrator already" in again.text


def test_an_address_taken_meanwhile_is_said_and_gets_no_role(app, session, ada, bea):
    invite(ada[1])
    client = make_client(session, user=make_user(session, MINE))
    session.commit()
    assert "has an account already" in answer(bea[1], proposed(session)).text
    look_again(session)
    assert client.user.roles == {Role.client}


def test_other_roles_are_given_by_one_as_before(session, ada, bea, colleague):
    invite(ada[1], "moderator")
    change(ada[1], colleague, "supervisor")
    look_again(session)
    assert user_with(session, MINE) is not None
    assert colleague.roles == {Role.supervisor}
    assert changed(session, "bea@example.test") == 0


def test_an_administrator_is_also_unmade_by_one_and_the_others_are_told(session, ada, bea):
    change(ada[1], bea[0], "moderator")
    assert not has_role(session, bea[0])
    assert changed(session, "ada@example.test") == changed(session, "bea@example.test") == 1


def test_whoever_is_closed_hears_of_it_unless_they_never_came(session, ada, bea):
    never = make_user(session, "never@example.test", roles=[Role.administrator], confirmed=False)
    session.commit()
    for person in (bea[0], never):
        ada[1].post(f"/oversight/staff/{person.public_id}/closure")
    assert changed(session, "bea@example.test") == 1
    assert changed(session, "never@example.test") == 0


def test_a_closed_administrator_is_opened_again_by_two(app, session, ada, bea):
    cleo, _ = administrator(app, session, "Cleo")
    address = f"/oversight/staff/{cleo.public_id}"
    ada[1].post(f"{address}/closure")
    assert ada[1].post(f"{address}/reopening").location == PAGE
    look_again(session)
    assert cleo.is_disabled
    assert "opened again" in bea[1].get(PAGE).text
    answer(bea[1], proposed(session))
    look_again(session)
    assert not cleo.is_disabled
    assert cleo.has(Role.administrator)


def test_no_way_round_the_page_makes_one_alone(session, ada, bea, colleague):
    """The operations themselves refuse it, whoever calls them."""
    actor, closed = ada[0], make_user(session, roles=[Role.administrator], disabled_at=NOW)
    with pytest.raises(SecondAdministratorNeeded):
        operations.invite(session, MINE, "", {Role.administrator}, actor, NOW)
    with pytest.raises(SecondAdministratorNeeded):
        operations.change_roles(session, colleague, {Role.clinical_lead}, actor, NOW)
    with pytest.raises(SecondAdministratorNeeded):
        operations.enable(session, closed, actor, NOW)


def test_who_proposes_does_not_agree_through_a_mailbox_of_their_own(app, session, ada):
    """Invited alone, while there was nobody else: not a second person for whoever invited them."""
    invite(ada[1])
    _, browser = take_up(app, session)
    invite(ada[1], email="third@example.test")
    page = browser.get(PAGE)
    assert "count as one person" in page.text
    assert "Agree" not in page.text
    assert "count as one person" in answer(browser, proposed(session)).text
    assert user_with(session, "third@example.test") is None


def test_the_only_administrators_word_stands_and_the_house_is_told(app, session, ada):
    for name, role in (("lead", Role.clinical_lead), ("records", Role.records_custodian)):
        make_user(session, f"{name}@example.test", roles=[role])
    make_user(session, "duty@example.test", roles=[Role.duty_clinician])
    session.commit()
    assert "your word stands" in ada[1].get("/oversight/staff/invitation").text
    invite(ada[1])
    assert user_with(session, MINE) is not None
    told = [changed(session, f"{name}@example.test") for name in ("ada", "lead", "records", "duty")]
    assert told == [1, 1, 1, 0]
    [mail] = [one for one in mails_to(session, "lead@example.test") if "answers" in one["subject"]]
    assert MINE not in mail["body"]
    assert "A new one" not in mail["body"]


def test_that_the_two_count_as_one_stands_on_the_page_of_the_new_one(app, session, clock, ada):
    invite(ada[1])
    address = f"/oversight/staff/{user_with(session, MINE).public_id}"
    assert "Ada alone made them administrator" in ada[1].get(address).text
    clock.move(NEW_FOR)
    sign_in(ada[1], session.merge(ada[0]))
    assert "alone made them" not in ada[1].get(address).text


def ask_for_removal(browser, session) -> FactorReset:
    data = {"email": "sam@example.test", "reason": "They rang."}
    browser.post("/oversight/lost-second-factors", data=data)
    look_again(session)
    return session.scalars(sa.select(FactorReset)).one()


def test_a_second_factor_is_not_removed_by_one_with_two_mailboxes(app, session, clock, ada):
    victim = make_user(session, "sam@example.test", password_hash=hash_password(PASSWORD))
    give_app(session, victim)
    session.commit()
    invite(ada[1])
    mine, browser = take_up(app, session)
    reset = ask_for_removal(ada[1], session)
    page = browser.get("/oversight/lost-second-factors").text
    assert "count as one person" in page
    assert "Confirm it" not in page
    confirm = f"/oversight/lost-second-factors/{reset.public_id}/confirmation"
    assert "count as one person" in browser.post(confirm, follow_redirects=True).text
    look_again(session)
    assert reset.state is FactorResetState.asked
    clock.move(NEW_FOR)
    sign_in(browser, session.merge(mine))
    browser.post(confirm)
    look_again(session)
    assert reset.state is FactorResetState.confirmed


def test_what_is_proposed_and_answered_is_written_down_without_names(session, ada, bea, colleague):
    invite(ada[1])
    answer(bea[1], proposed(session))
    change(ada[1], colleague, "administrator")
    answer(bea[1], proposed(session), "refusal")
    look_again(session)
    rows = session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.action.like("role_proposal.%"))
        .order_by(AuditEntry.id)
    ).all()
    acts = [(row.action.split(".")[1], row.actor_id) for row in rows]
    first, second = ada[0].public_id, bea[0].public_id
    assert acts == [("made", first), ("agreed", second), ("made", first), ("refused", second)]
    assert MINE not in str([row.details for row in rows])
    invited = sa.select(AuditEntry).where(AuditEntry.action == "staff.invited")
    assert session.scalars(invited).one().actor_id == second


def test_mails_say_that_something_waits_and_not_what(session, ada, bea, colleague):
    invite(ada[1])
    [mail] = mails_to(session, "bea@example.test")
    assert "Something is waiting" in mail["subject"]
    assert MINE not in mail["body"]
    answer(bea[1], proposed(session))
    [mail] = mails_to(session, "ada@example.test")
    assert "Something is waiting" in mail["subject"]


def test_address_and_name_of_who_is_proposed_are_sealed(session, ada, bea):
    invite(ada[1])
    row = session.execute(sa.text("SELECT email_sealed, name_sealed FROM role_proposals")).one()
    assert MINE.encode() not in bytes(row[0])
    assert b"A new one" not in bytes(row[1])


@pytest.mark.parametrize("role", [Role.client, Role.clinical_lead, Role.records_custodian])
def test_the_page_is_for_administrators_alone(http, session, ada, bea, colleague, role):
    change(ada[1], colleague, "administrator")
    sign_in(http, make_user(session, roles=[role]))
    assert http.get(PAGE).status_code == 404
    assert answer(http, proposed(session)).status_code == 404
    assert answer(http, proposed(session), "refusal").status_code == 404


def test_two_who_agree_at_once_make_one(session, ada, bea, colleague):
    """The second press finds that it is answered."""
    change(ada[1], colleague, "administrator")
    proposal = proposed(session)
    answer(bea[1], proposal)
    assert answer(bea[1], proposal).status_code == 404
    mine = sa.select(sa.func.count()).select_from(User)
    assert session.scalar(mine) == 3


def test_administrators_are_locked_before_whom_a_change_concerns(session, ada, bea, colleague):
    """As for a yes to a proposal: in another order two requests could wait for each other."""
    of_administrators = []

    @sa.event.listens_for(session, "do_orm_execute")
    def note(state):
        words = str(state.statement.compile(dialect=postgresql.dialect()))
        if "FOR UPDATE" in words:
            of_administrators.append("user_roles" in words)

    operations.change_roles(session, colleague, {Role.supervisor}, ada[0], NOW)
    assert of_administrators[:2] == [True, False]


def test_the_rule_holds_for_the_operation_too(session, ada):
    new = operations.invite(session, MINE, "", {Role.administrator}, ada[0], NOW)
    new.email_confirmed_at = NOW
    session.flush()
    with pytest.raises(OneHand):
        operations.invite(
            session, "x@example.test", "", {Role.administrator}, ada[0], NOW, agreed_by=new
        )
