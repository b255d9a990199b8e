"""What happens in one room because of another: signals, outbox handlers and sweeps, on the roof.

Rooms import only leftwards, so a room on the left tells the rooms on its right by signal.
"""

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from billing.operations import GIVE_BACK, SETTLE, give_back, reconcile, settle
from billing.signals import order_paid, refund_done, refund_failed
from core.erasures import WRITE_DOWN, replayed, write_down
from core.ledger import seal
from core.outbox import handle
from core.overwriting import OVERWRITE, overwrite
from practice.accounts import factor_resets, letters
from practice.accounts import operations as accounts
from practice.appointments.operations import (
    cancel_for_ended_episode,
    release_for_closed_request,
)
from practice.appointments.queries import meetings_of
from practice.appointments.sweeps import release_what_ran_out
from practice.care import meetings
from practice.care.emergency import sweeps as emergency_sweeps
from practice.care.operations import end_with_consent
from practice.care.policy import care_is_over
from practice.care.signals import episode_ended
from practice.consent import going_on
from practice.consent.models import Purpose
from practice.consent.renewing import ASK_AGAIN, ask_again
from practice.consent.signals import consent_revoked
from practice.groups.operations import (
    expire_holds,
    leave_for_withdrawn_consent,
    seat_the_paid,
)
from practice.groups.policy import time_in_group_is_over
from practice.matches.market.changes import forget_old_changes
from practice.matches.operations import stop_with_the_notice
from practice.matches.reach import figures as reach
from practice.matches.signals import request_accepted, request_closed
from practice.matches.sweeps import lapse_what_is_due, say_what_is_late, tell_who_waits
from practice.outcomes import counting
from practice.oversight.backups import operations as backups
from practice.oversight.fairness import reports as fairness
from practice.oversight.keys import rotation as key_rotation
from practice.oversight.ledger import checking as ledger
from practice.oversight.weights import preview as weights_preview
from practice.payments.operations import note_failed_refund, tell_of_refund
from practice.payments.views import webhook
from practice.privacy.keeping import stands_a_hold
from practice.privacy.operations import erase_again
from practice.privacy.schedule import KEEPING, erase_what_is_due
from practice.waiting import letting_go, runs
from practice.waiting import operations as waiting
from practice.waiting.sweeps import lapse_offers

Sweep = Callable[[datetime], None]


def connect(app: Flask) -> None:
    app.extensions["sweeps"] = [accounts.tidy, factor_resets.carry_out_due, seal]
    letters.connect(app)
    _connect_payments(app)
    _connect_waiting(app)
    _connect_care(app)
    _connect_privacy(app)
    handle(app, key_rotation.ROTATE, key_rotation.rotate_asked_for)
    handle(app, backups.MAKE, backups.make_asked_for)
    handle(app, weights_preview.PREVIEW, weights_preview.make_asked_for)
    for comes_round in (ledger.CHECK, fairness.COUNT, counting.COUNT, reach.COUNT):
        comes_round.connect(app)


def _connect_payments(app: Flask) -> None:
    handle(app, SETTLE, settle)
    handle(app, GIVE_BACK, give_back)
    order_paid.connect(seat_the_paid)
    refund_done.connect(tell_of_refund)
    refund_failed.connect(note_failed_refund)
    consent_revoked.connect(leave_for_withdrawn_consent)
    app.extensions["sweeps"] += [expire_holds, reconcile]
    # Signed by the payment company instead (billing/webhooks.py).
    app.extensions["csrf"].exempt(webhook)


def _connect_waiting(app: Flask) -> None:
    handle(app, runs.RUN, runs.make_asked_for)
    consent_revoked.connect(waiting.stop_with_consent)
    request_accepted.connect(waiting.leave_when_accepted)
    letting_go.connect(app, stands_a_hold)
    app.extensions["sweeps"] += [lapse_offers]


def _connect_care(app: Flask) -> None:
    handle(app, ASK_AGAIN, ask_again)
    meetings.connect(app, meetings_of)
    going_on.connect(app, Purpose.treatment, care_is_over)
    going_on.connect(app, Purpose.group, time_in_group_is_over)
    consent_revoked.connect(stop_with_the_notice)
    consent_revoked.connect(end_with_consent)
    request_closed.connect(release_for_closed_request)
    episode_ended.connect(cancel_for_ended_episode)
    app.extensions["sweeps"] += [release_what_ran_out, lapse_what_is_due, tell_who_waits]
    app.extensions["sweeps"] += [forget_old_changes, say_what_is_late]
    app.extensions["sweeps"] += [emergency_sweeps.tell_clients, emergency_sweeps.remind_of_reviews]


def _connect_privacy(app: Flask) -> None:
    handle(app, WRITE_DOWN, write_down)
    handle(app, OVERWRITE, overwrite)
    replayed.connect(erase_again)
    app.extensions["sweeps"] += [erase_what_is_due]
    KEEPING.connect(app)


def sweep(app: Flask, at: datetime) -> None:
    """Do what time alone makes due (lapsed requests, holds that ran out)."""
    for due in app.extensions["sweeps"]:
        sweep_one(app, due, at)


def sweep_one(app: Flask, due: Sweep, at: datetime) -> None:
    with app.app_context():
        due(at)
