"""Forms of matches."""

from collections.abc import Iterable

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from practice.forms import Form
from practice.matches.sharing import USUALLY, SharedItem
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
        """What is ticked: as sent, or what people usually share on a fresh page."""
        return list(self.share.data or []) if self.is_submitted() else list(USUALLY)


class DeclineForm(Form):
    reply = TextAreaField("A few words to them, if you like", [Length(max=500)])
