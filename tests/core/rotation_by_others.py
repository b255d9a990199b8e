"""A process that goes on writing while keys are rotated.

It says each write after its commit, so that a test can ask whether what was acknowledged is there.
"""

import random
import re
import signal

import sqlalchemy as sa

from core.clock import now
from core.config import settings_from
from core.database import db, unit_of_work
from practice.accounts.models import Client, Role, User, UserRole
from practice.app import create_app
from practice.intake.models import Intake, IntakeAnswer

ROWS_EACH = 25
AT_ONCE = 1000


def fill(rows: int) -> dict[int, str]:
    """Make people with this many sealed rows; returns what each answer says by its id."""
    for start in range(0, rows, AT_ONCE):
        with unit_of_work() as session:
            for number in range(start, min(start + AT_ONCE, rows), ROWS_EACH):
                session.add(_person(number))
    answers = db.session.scalars(sa.select(IntakeAnswer).execution_options(yield_per=500))
    return {answer.id: answer.page for answer in answers}


def check(told: dict[int, str], written: str) -> None:
    """Every answer opens and says what it said, or what the writer was told is written."""
    acknowledged = dict(re.findall(r"wrote (\d+) (\S+)", written))
    session = db.session()
    for start in range(0, len(told), AT_ONCE):
        ids = sorted(told)[start : start + AT_ONCE]
        for answer in session.scalars(sa.select(IntakeAnswer).where(IntakeAnswer.id.in_(ids))):
            if str(answer.id) in acknowledged:
                assert answer.value == acknowledged[str(answer.id)]
            else:
                # The first word of the writer was read by whoever waited for it.
                assert answer.value == f"told {told[answer.id]}" or answer.value.startswith("new")
        session.expunge_all()
    assert len(acknowledged) > 1


def _person(number: int) -> Client:
    user = User(email=f"p{number}@example.test", password_hash="none", created_at=now())
    user.role_rows = [UserRole(role=Role.client, granted_at=now())]
    client = Client(user=user, adult_attested_at=now(), created_at=now())
    intake = Intake(client=client, started_at=now())
    intake.answers = [
        IntakeAnswer(page=f"{number}-{page}", value=f"told {number}-{page}", answered_at=now())
        for page in range(ROWS_EACH)
    ]
    # The intake brings its client and its answers along.
    return intake  # type: ignore[return-value]


def main() -> None:
    # Asked to stop, it still says what it has written: a write is not cut off from its word.
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stop.append(number))
    app = create_app(settings_from())
    with app.app_context():
        ids = db.session.scalars(sa.select(IntakeAnswer.id)).all()
        chance = random.Random(20261201)
        while not stop:
            _write(chance.choice(ids), f"new-{chance.random()}")


def _write(answer_id: int, value: str) -> None:
    with unit_of_work() as session:
        answer = session.get(IntakeAnswer, answer_id)
        assert answer is not None
        answer.value = value
    print(f"wrote {answer_id} {value}", flush=True)
