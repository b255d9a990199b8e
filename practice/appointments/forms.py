"""Forms of meetings."""

from collections.abc import Collection
from datetime import datetime

from wtforms import RadioField
from wtforms.validators import InputRequired

from practice.forms import Form
from practice.vocabularies import vocabulary


def instant(text: str) -> datetime:
    """ISO 8601 with its offset; raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return found


class TimeForm(Form):
    """A start (ISO 8601, UTC) among those that are free, and a way of meeting."""

    starts_at = RadioField(
        "Which time suits you?",
        [InputRequired("Please choose a time.")],
        coerce=instant,
        validate_choice=False,
    )
    format = RadioField("How would you like to meet?", [InputRequired("Please choose a way.")])

    def offer(self, formats: Collection[str]) -> None:
        terms = [term for term in vocabulary("formats").terms if term.code in formats]
        self.format.choices = [(term.code, term.label()) for term in terms]
        if len(terms) == 1 and not self.format.data:
            self.format.data = terms[0].code
