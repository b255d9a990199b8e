"""Forms of care."""

from datetime import date, datetime, time
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length

from practice.care.emergency.models import ORDINARY_REASONS
from practice.care.models import EndReason, LookupReason
from practice.forms import Form
from practice.local_time import instant_at

BY_THE_THERAPIST = [reason for reason in EndReason if reason is not EndReason.consent_withdrawn]
FEWEST_LETTERS = 20
LONGEST_REASON = 2_000
LONGEST_NOTE = 20_000
TOO_SHORT = f"Please say it in at least {FEWEST_LETTERS} letters: it is kept and read by others."
WHOM = "Their e-mail address or number"


def reasons_in_words(label: str) -> TextAreaField:
    return TextAreaField(
        label,
        [DataRequired("Please say why."), Length(FEWEST_LETTERS, LONGEST_REASON, TOO_SHORT)],
    )


def understood(label: str) -> BooleanField:
    return BooleanField(label, [InputRequired("Please confirm this first.")])


class EndForm(Form):
    because = RadioField(
        "Why does it end?",
        [InputRequired("Please choose what fits best.")],
        choices=[(reason.value, reason.label) for reason in BY_THE_THERAPIST],
    )


class ClosingNoteForm(Form):
    """`amends` is the public id of the note that this one adds to, or empty."""

    words = TextAreaField(
        "Closing note",
        [
            DataRequired("Please write the note first."),
            Length(max=LONGEST_NOTE, message="Please shorten this note, or write two."),
        ],
    )
    amends = HiddenField()


class SupervisorForm(Form):
    """One of two buttons; `supervisor` is the public id of whom the page named."""

    answer = HiddenField()
    supervisor = HiddenField()

    @property
    def agrees(self) -> bool:
        return bool(self.answer.data == "agree")


class LookupForm(Form):
    who = StringField(
        "Name, e-mail address or number",
        [DataRequired("Please say whose record it is."), Length(max=254)],
    )
    reason = RadioField(
        "Why is it opened?",
        [InputRequired("Please choose what fits best.")],
        choices=[(reason.value, reason.label) for reason in LookupReason],
    )
    words = reasons_in_words("In your own words")


class AskForm(Form):
    who = StringField(WHOM, [DataRequired("Please say whose record it is."), Length(max=254)])
    reason = RadioField(
        "Why must it be opened?",
        [InputRequired("Please choose what fits best.")],
        choices=[(reason.value, reason.label) for reason in ORDINARY_REASONS],
    )
    words = reasons_in_words("What has happened, and what you need to see")
    understood = understood("I know that the client is told who opened their record, and why")


class DangerForm(Form):
    who = StringField(WHOM, [DataRequired("Please say whose record it is."), Length(max=254)])
    words = reasons_in_words("What makes you think that somebody is in danger now")
    understood = understood("I know that the clinical lead reviews this, and the client is told")


class DecisionForm(Form):
    answer = RadioField(
        "May they open it?",
        [InputRequired("Please choose one.")],
        choices=[("yes", "Yes, for sixty minutes"), ("no", "No")],
    )
    words = TextAreaField("Why", [Length(max=LONGEST_REASON)])

    def validate_words(self, field: Any) -> None:
        if self.answer.data == "no" and not field.data:
            raise ValidationError("Please say why not: they read it.")


class ReviewForm(Form):
    answer = RadioField(
        "Was it right to open it at once?",
        [InputRequired("Please choose one.")],
        choices=[("yes", "Yes, it was justified"), ("no", "No, it was not justified")],
    )
    words = reasons_in_words("What that rests on")


class DelayForm(Form):
    """`until` is a day of the organisation; the client is told when it begins."""

    until = DateField("Tell them on", [InputRequired("Please give the day.")])
    words = reasons_in_words("Why telling them now would put somebody in danger")

    def instant(self, zone: str) -> datetime:
        day: date = self.until.data
        return instant_at(day, time(), zone)
