"""Forms of matches."""

from collections.abc import Iterable

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from practice.forms import Form
from practice.matches.sharing import TICKED_BEFOREHAND, SharedItem
from practice.places import place_choices


class PlaceForm(Form):
    place = SelectField(
        "Where will you be when you meet?",
        [InputRequired("Please choose a place.")],
        choices=[("", "Choose a place"), *place_choices()],
    )


class AskForm(Form):
    """What goes along with a request; only what the intake holds can be chosen."""

    name = StringField("What may they call you?", [Length(max=80)])
    share = SelectMultipleField("What would you like to share?")

    def offer(self, items: Iterable[SharedItem]) -> None:
        self.share.choices = [(item.code, item.label) for item in items]

    @property
    def ticked(self) -> list[str]:
        """What is ticked: as sent, or on a fresh page what tells nothing of anybody's health."""
        return list(self.share.data or []) if self.is_submitted() else list(TICKED_BEFOREHAND)


class ReviewForm(Form):
    """What a client would like somebody to look at; nothing needs to be written."""

    words = TextAreaField(
        "What should they look at?",
        [Length(max=1000, message="Please keep to 1000 characters.")],
    )


class ReviewAnswerForm(Form):
    """The clinical lead's answer; suggestions are names of profiles, one a line."""

    answer = TextAreaField(
        "Your answer, with the reason",
        [
            InputRequired("Please write an answer with its reason."),
            Length(max=2000, message="Please keep to 2000 characters."),
        ],
    )
    names = TextAreaField("Therapists you suggest, if any", [Length(max=500)])

    @property
    def suggested(self) -> list[str]:
        lines = (self.names.data or "").splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


class DeclineForm(Form):
    reply = TextAreaField("A few words to them, if you like", [Length(max=500)])
