"""Forms of the client's rights and of the schedule."""

import uuid

from wtforms import HiddenField, IntegerField, RadioField, StringField
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length, ValidationError

from practice.forms import Form

NOW, LATER = "now", "later"
WORD = "erase"


class ErasureForm(Form):
    """`expected` is the refund that was shown, in minor units."""

    when = RadioField(
        "When?",
        choices=[
            (NOW, "Now"),
            (LATER, "In seven days; until then I can call it off"),
        ],
        default=NOW,
        validators=[DataRequired("Please choose one.")],
    )
    word = StringField(
        f"Type the word “{WORD}” to show that you mean it",
        validators=[DataRequired(f"Please type the word {WORD}.")],
        filters=[lambda text: (text or "").strip().strip("“”\"'.").lower()],
    )
    expected = IntegerField(widget=HiddenField.widget, default=0, validators=[InputRequired()])

    def validate_word(self, field: StringField) -> None:
        AnyOf([WORD], f"That is another word. Please type {WORD}.")(self, field)


class HoldForm(Form):
    """A legal hold: on whom, by the client's reference, and why."""

    client = StringField(
        "The client’s reference",
        validators=[DataRequired("Please give the reference that stands on the letter.")],
    )
    reason = StringField(
        "Why nothing may be deleted",
        validators=[
            DataRequired("Please say which proceedings ask for it."),
            Length(max=300, message="Please shorten this to 300 letters."),
        ],
    )

    def validate_client(self, field: StringField) -> None:
        try:
            self.reference = uuid.UUID(field.data or "")
        except ValueError:
            raise ValidationError(
                "A reference looks like 3f2b8c1e-5a7d-4e0f-9c6b-1d2e3f4a5b6c."
            ) from None
