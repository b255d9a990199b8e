"""Forms of consent."""

from typing import Any

from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from practice.forms import Form

READ_AND_AGREE = "I have read this and I agree"


def name_field() -> StringField:
    return StringField(
        "Your name, as your signature",
        [InputRequired("Please type your name."), Length(min=2, max=120)],
    )


class SignForm(Form):
    """A box to tick and a name to type: what shows that somebody means it."""

    agreed = BooleanField(
        READ_AND_AGREE, [InputRequired("Please tick the box if you agree. You need not.")]
    )
    typed_name = name_field()
    # The page writes it itself: which documents it shows.
    shown = SelectMultipleField(validate_choice=False)

    @property
    def evidence(self) -> dict[str, Any]:
        """How the intent was shown, for `operations.sign`."""
        return {
            "typed_name": self.typed_name.data,
            "ticked": self.agreed.data,
            "words": str(self.agreed.label.text),
            "shown": self.shown.data,
        }


class BeginForm(SignForm):
    """Both texts that stand before the first question, under one signature."""

    read_privacy = BooleanField(
        "I have read the privacy notice",
        [InputRequired("Please tick the box once you have read the notice.")],
    )
    agreed = BooleanField(
        "I agree to the questions, and to being contacted if an answer is worrying",
        [InputRequired("Please tick the box if you agree. You need not.")],
    )
    # Declared again, so that it comes after the boxes on the page and in the error summary.
    typed_name = name_field()
