"""How long each step of a request may take, in working days where the therapist is."""

from datetime import datetime

from practice.matches.models import MatchRequest
from practice.when import deadline_words
from practice.working_days import after_working_days

DAYS_TO_ANSWER = 2
DAYS_TO_CHOOSE_A_TIME = 5


def answer_due(sent_at: datetime, zone: str) -> datetime:
    """By when the therapist answers, before somebody else is offered."""
    return after_working_days(sent_at, DAYS_TO_ANSWER, zone)


def time_due(request: MatchRequest) -> datetime:
    """By when the client of an accepted request chooses a time, before the place goes back."""
    accepted_at = request.answered_at or request.sent_at
    return after_working_days(accepted_at, DAYS_TO_CHOOSE_A_TIME, request.therapist.zone)


def answer_due_words(request: MatchRequest, zone: str) -> str:
    """ "by 10:00 on Thursday 3 December", as the clock shows it in `zone`.

    A promise that ends with a day is told as the end of that day where it was made.
    """
    return _words(request.answer_due_at, request.therapist.zone, zone)


def time_due_words(request: MatchRequest, zone: str) -> str:
    return _words(time_due(request), request.therapist.zone, zone)


def _words(due: datetime, made_in: str, zone: str) -> str:
    ends_a_day = deadline_words(due, made_in)
    return ends_a_day if ends_a_day.startswith("by the end") else deadline_words(due, zone)
