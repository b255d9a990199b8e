"""Forms of care."""

from wtforms import RadioField
from wtforms.validators import InputRequired

from practice.care.models import EndReason
from practice.forms import Form

BY_THE_THERAPIST = [reason for reason in EndReason if reason is not EndReason.consent_withdrawn]


class EndForm(Form):
    because = RadioField(
        "Why does it end?",
        [InputRequired("Please choose what fits best.")],
        choices=[(reason.value, reason.label) for reason in BY_THE_THERAPIST],
    )
