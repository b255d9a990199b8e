"""Forms of the waiting list."""

from collections.abc import Iterable

from wtforms import RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length

from practice.forms import Form


class ChangeForm(Form):
    therapist = RadioField("Another therapist", [InputRequired("Please choose somebody.")])

    def offer(self, public_ids: Iterable[str]) -> None:
        self.therapist.choices = [(each, each) for each in public_ids]


class RejectForm(Form):
    reason = TextAreaField(
        "Why not these two?",
        [
            InputRequired("Please write a reason."),
            Length(max=1000, message="Please keep to 1000 characters."),
        ],
    )


class ConfirmForm(Form):
    """Which placements; `everything` confirms all that are proposed."""

    placement = SelectMultipleField("Placements")

    def offer(self, public_ids: Iterable[str]) -> None:
        self.placement.choices = [(each, each) for each in public_ids]
