"""kill -9 at every step of what people do: no half act, nothing that was promised is lost.

The real application over a real database. It dies before each statement and on either side of each
commit, whichever they are: the product has no hooks for it. What it had answered must be there;
what it had not may be done again, and is then done once: one seat, one consent, one mail, one
charge.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from billing.models import Charge
from core.database import db
from core.mail import KeptMail
from core.outbox import OutboxMessage, drain
from practice.accounts.models import User
from practice.appointments.models import Appointment, AppointmentState
from practice.appointments.queries import free_times
from practice.care.models import Episode
from practice.consent.models import Purpose, Revocation, Signature
from practice.consent.operations import ensure_documents
from practice.groups.models import Enrolment, EnrolmentState
from practice.matches.models import MatchRequest, RequestState
from practice.matches.operations import ensure_weights
from tests.builders.accounts import make_client, sign_in
from tests.builders.appointments import make_booked, make_held
from tests.builders.checkout import Bank, bank_for
from tests.builders.groups import make_enrolment, make_group
from tests.builders.matches import make_request
from tests.conftest import NOW
from tests.journeys.mortal import (
    Contents,
    Ending,
    contents,
    counts,
    damage,
    in_a_process,
    put_back,
)

# A request renews how long its browser may stay: that is no part of what somebody did.
BESIDE_THE_ACT = {"sign_in_sessions"}
SIGNED = {"agreed": "y", "typed_name": "Sam Doe"}
DONE, TOLD = {200, 303}, {303, 409}

pytestmark = pytest.mark.timeout(3600)


@dataclass(frozen=True)
class Act:
    """What one person sends, and the rows of which there is `number` once it is done."""

    who: User
    address: str
    form: dict[str, str]
    rows: Any
    number: int = 1


def hold_a_seat(session: Session) -> Act:
    group, client = make_group(session), make_client(session)
    held = sa.select(Enrolment.id).where(Enrolment.state == EnrolmentState.held)
    form = {"handle": "Riverbird", **SIGNED}
    return Act(client.user, f"/groups/{group.public_id}/enrolment", form, held)


def pay(session: Session) -> Act:
    """On to the payment page: an order is bound to a page of the payment company."""
    client = make_client(session)
    seat = make_enrolment(session, make_group(session), client, EnrolmentState.held)
    address = f"/enrolments/{seat.public_id}/payment"
    return Act(client.user, address, {}, sa.select(Charge.id))


def hear_of_the_money(session: Session) -> Act:
    """The payment company tells that it was paid: the seat becomes theirs."""
    return pay(session)


def accept_a_request(session: Session) -> Act:
    request = make_request(session)
    accepted = sa.select(MatchRequest.id).where(MatchRequest.state == RequestState.accepted)
    address = f"/requests/{request.public_id}/acceptance"
    return Act(request.therapist.user, address, {}, accepted)


def choose_a_time(session: Session) -> Act:
    request = make_request(session, accepted=True)
    starts_at = free_times(session, request, NOW)[0].starts_at
    held = sa.select(Appointment.id).where(Appointment.state == AppointmentState.held)
    form = {"starts_at": starts_at.isoformat(), "format": "online"}
    return Act(request.client.user, f"/requests/{request.public_id}/times", form, held)


def sign_for_treatment(session: Session) -> Act:
    held = make_held(session)
    address = f"/appointments/{held.public_id}/consent"
    return Act(held.client.user, address, SIGNED, sa.select(Episode.id))


def sign_before_the_questions(session: Session) -> Act:
    client = make_client(session, consents=False)
    form = {"read_privacy": "y", **SIGNED}
    signed = sa.select(Signature.id)
    return Act(client.user, "/consents/before-you-begin", form, signed, number=2)


def take_a_consent_back(session: Session) -> Act:
    client = make_booked(session).client
    wanted = sa.select(Signature).where(Signature.purpose == Purpose.treatment)
    signature = session.scalars(wanted).one()
    address = f"/consents/{signature.public_id}/revocation"
    return Act(client.user, address, {}, sa.select(Revocation.id))


# Intent first: the payment company is asked between transactions, and each of its events is one.
IN_STEPS = {pay, hear_of_the_money}
ACTS = (
    hold_a_seat,
    pay,
    hear_of_the_money,
    accept_a_request,
    choose_a_time,
    sign_for_treatment,
    sign_before_the_questions,
    take_a_consent_back,
)


@dataclass
class Scene:
    """One act, the database as it was before it, and how it usually goes."""

    app: Flask
    plan: Callable[[Session], Act]
    folder: Path
    act: Act = field(init=False)
    browser: FlaskClient = field(init=False)
    before: Contents = field(init=False)
    usual: Ending = field(init=False)
    after: dict[str, int] = field(init=False)
    mails: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.browser = self.app.test_client()
        with self.app.app_context():
            session = db.session()
            ensure_documents(session, NOW)
            ensure_weights(session, NOW)
            self.act = self.plan(session)
            sign_in(self.browser, self.act.who)
            db.session.remove()
        self._go_to_the_bank()
        self.before = contents(self.app)
        self._keep_the_books()
        self._warm_up()
        self._rehearse()

    @property
    def is_about_money(self) -> bool:
        return self.plan in IN_STEPS

    def _go_to_the_bank(self) -> None:
        self.books.parent.mkdir(parents=True)
        if self.plan is hear_of_the_money:
            in_a_process(self.app, self._pay)

    def _pay(self) -> int:
        with self.bank() as bank:
            status = self._send()
            bank.sandbox.pay(self._page(bank))
        return status

    def _keep_the_books(self) -> None:
        shutil.copytree(self.books.parent, self.folder / "kept")

    def _warm_up(self) -> None:
        """Once here, where what it compiles is kept for each of the processes to come."""
        assert self.perform() in DONE
        self.come_to_rest()
        assert len(self.found()) == self.act.number
        self.mails = self.mails_left()
        self.put_back()

    def _rehearse(self) -> None:
        """What it goes past, and what is there when it was answered."""
        self.usual = in_a_process(self.app, self.perform)
        assert self.usual.answer in DONE
        self.after = counts(contents(self.app))

    @property
    def books(self) -> Path:
        return self.folder / "books" / "sandbox.sqlite3"

    @contextmanager
    def bank(self) -> Iterator[Bank]:
        with bank_for(self.app, books=self.books) as bank:
            yield bank

    def put_back(self) -> None:
        put_back(self.app, self.before)
        shutil.rmtree(self.books.parent)
        shutil.copytree(self.folder / "kept", self.books.parent)

    def perform(self) -> int:
        """The act, by whoever does it: a browser, or the payment company's webhooks."""
        with self.bank() if self.is_about_money else nullcontext() as bank:
            if self.plan is hear_of_the_money:
                [answered] = {attempt.status for attempt in bank.deliver()}
                return int(answered)
            return self._send()

    def do_again(self) -> int:
        """What somebody does who saw no answer; then everything comes to rest."""
        status = 303 if self.plan is hear_of_the_money else self._send_over_the_bank()
        self.come_to_rest()
        return status

    def come_to_rest(self) -> int:
        with self.bank() if self.is_about_money else nullcontext() as bank:
            if bank is not None:
                self._pay_once(bank)
                bank.deliver()
            drain(self.app, NOW)
        return 200

    def _send_over_the_bank(self) -> int:
        with self.bank() if self.is_about_money else nullcontext():
            return self._send()

    def _send(self) -> int:
        return self.browser.post(self.act.address, data=self.act.form).status_code

    def _pay_once(self, bank: Bank) -> None:
        """Somebody with two payment pages would pay both; there must be one, paid once."""
        if not bank.count("charge.succeeded"):
            bank.sandbox.pay(self._page(bank))

    def _page(self, bank: Bank) -> str:
        with bank.sandbox.desk.call() as call:
            [page] = call.books.all("checkout.session")
        return str(page["id"])

    def charges(self) -> int:
        if not self.is_about_money:
            return 0
        with self.bank() as bank:
            return bank.count("charge.succeeded")

    def found(self) -> list[int]:
        return self._all(self.act.rows)

    def mails_left(self) -> list[tuple[str, str]]:
        with self.app.app_context():
            return sorted((one.to, one.subject) for one in db.session.scalars(sa.select(KeptMail)))

    def work_left(self) -> list[int]:
        """What is due and not done, or was set aside."""
        is_open = OutboxMessage.done_at.is_(None) & (OutboxMessage.due_at <= NOW)
        set_aside = OutboxMessage.dead_at.is_not(None)
        return self._all(sa.select(OutboxMessage.id).where(is_open | set_aside))

    def _all(self, wanted: Any) -> list[int]:
        with self.app.app_context(), db.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())


@pytest.mark.parametrize("plan", ACTS, ids=lambda plan: plan.__name__)
def test_killed_anywhere_nothing_is_half_done_lost_or_done_twice(
    app: Flask, tmp_path: Path, proving: bool, plan: Callable[[Session], Act]
) -> None:
    scene = Scene(app, plan, tmp_path)
    numbers = points_to_die_at(scene.usual.points, proving)
    killed = 0
    for number in numbers:
        scene.put_back()
        ending = in_a_process(app, scene.perform, dies_at=number)
        killed += ending.was_killed
        now = contents(app)
        assert_no_half_act(scene, ending, now)
        assert_done_once(scene, was_done=counts(now) == scene.after)
    print(f"{plan.__name__}: {len(scene.usual.points)} points, killed {killed} times")
    assert killed == len(numbers)


def points_to_die_at(points: list[str], proving: bool) -> list[int]:
    """All of them (some 270 for all acts); or the one where all is written but the last row."""
    assert points[-1] == "answered"
    if proving:
        return [*range(1, len(points) + 1)]
    return [len(points) - points[::-1].index("write")]


def assert_no_half_act(scene: Scene, ending: Ending, now: Contents) -> None:
    """Straight after the death: everything of it is there, or nothing at all."""
    assert damage(scene.app) == []
    if ending.answer is not None:
        assert counts(now) == scene.after, "what was answered is lost"
    elif scene.is_about_money:
        assert counts(now) in [counts(scene.before), *scene.usual.committed]
    elif counts(now) != scene.after:
        assert without(now, BESIDE_THE_ACT) == without(scene.before, BESIDE_THE_ACT)


def assert_done_once(scene: Scene, *, was_done: bool) -> None:
    """Somebody who saw no answer does it again: it is done, or they are told that it was."""
    assert scene.do_again() in (TOLD if was_done else DONE)
    assert len(scene.found()) == scene.act.number
    assert scene.work_left() == []
    assert scene.mails_left() == scene.mails
    assert scene.charges() == scene.is_about_money


def without(found: Contents, names: set[str]) -> Contents:
    return {name: rows for name, rows in found.items() if name not in names}
