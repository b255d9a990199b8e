"""Forms of a risk flag: a try to reach the person, and how the flag ends."""

from wtforms import RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from practice.forms import Form
from practice.intake.models import ContactManner, FlagResult

LONGEST = 4000


class ContactForm(Form):
    manner = RadioField(
        "How did you try?",
        [InputRequired("Please choose how you tried.")],
        choices=[(manner.value, manner.label) for manner in ContactManner],
    )
    reached = RadioField(
        "Did you reach them?",
        [InputRequired("Please say whether you reached them.")],
        choices=[("yes", "Yes"), ("no", "No")],
    )
    words = TextAreaField("What was said or heard", [Length(max=LONGEST)])


class OutcomeForm(Form):
    result = RadioField(
        "How does this end?",
        [InputRequired("Please choose an outcome.")],
        choices=[(result.value, result.label) for result in FlagResult],
    )
    reason = TextAreaField(
        "Why", [DataRequired("Please say why: the next reader relies on it."), Length(max=LONGEST)]
    )
