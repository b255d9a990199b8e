"""The fields that the styleguide shows. Nothing of it is ever sent."""

from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)

from practice.forms import Form


class StyleForm(Form):
    email = EmailField("E-mail address")
    password = PasswordField("Password")
    place = SelectField("Where you are", choices=[("", "Choose"), ("US-WA", "Washington")])
    story = TextAreaField("In your own words")
    often = RadioField("How often?", choices=[("0", "Not at all"), ("1", "Several days")])
    chips = SelectMultipleField("What weighs most?", choices=[("a", "Panic"), ("b", "Sleep")])
    agree = BooleanField("I have read this and agree")
