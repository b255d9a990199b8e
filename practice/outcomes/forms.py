"""Forms of the clinic's switch."""

from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from practice.forms import Form

KEEP_SHORT = Length(max=1000, message="Please keep to 1000 characters.")


class ProposeForm(Form):
    reason = TextAreaField(
        "Why turn it on?", [DataRequired("Please write a reason. Others read it."), KEEP_SHORT]
    )


class TurnOffForm(Form):
    reason = TextAreaField(
        "Why turn it off?", [DataRequired("Please write a reason. Others read it."), KEEP_SHORT]
    )
