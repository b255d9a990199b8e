"""Forms of the administrators' console."""

from datetime import date, time, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from practice.accounts.forms import is_address, lower
from practice.accounts.models import STAFF_ROLES, Role
from practice.consent.operations import text_hash
from practice.forms import Form

MOST_WEEKS = 12
FURTHEST = timedelta(days=366)
LONGEST_TEXT = 40_000
AT_LEAST_ONE = "Please choose at least one role."

ROLE_CHOICES = [(role.value, role.label.capitalize()) for role in Role if role in STAFF_ROLES]


def one_line_endings(value: str | None) -> str | None:
    """Browsers send CR LF."""
    return value.replace("\r\n", "\n") if value else value


def whole_number(value: object) -> int:
    """The number, or 0 (no version at all) for anything else."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


class RolesForm(Form):
    roles = SelectMultipleField(
        "What they do here", [InputRequired(AT_LEAST_ONE)], choices=ROLE_CHOICES
    )
    confirmed = HiddenField()

    @property
    def chosen(self) -> set[Role]:
        return {Role(value) for value in self.roles.data or []}


class InvitationForm(RolesForm):
    name = StringField("Name", [DataRequired("Please give their name."), Length(max=120)])
    email = EmailField(
        "E-mail address",
        [InputRequired("Please give their address."), Length(max=254), is_address],
        filters=[lower],
    )


class ShiftForm(Form):
    """Local days and times of the organisation."""

    person = SelectField("Who", [InputRequired("Please choose somebody.")])
    day = DateField("Day", [InputRequired("Please give the day.")])
    starts = TimeField("From", [InputRequired("Please give the time.")], default=time(9))
    ends = TimeField("Until", [InputRequired("Please give the time.")], default=time(17))
    weeks = IntegerField(
        "For how many weeks",
        [InputRequired("Please give a number."), NumberRange(1, MOST_WEEKS)],
        default=1,
    )

    def offer(self, people: list[tuple[str, str]], today: date) -> None:
        self.person.choices = people
        self.today = today
        if not self.is_submitted():
            self.day.data = today

    def validate_day(self, field: Any) -> None:
        # Yesterday's shift may still run; a day at the end of the calendar has no instant in UTC.
        if field.data and not -timedelta(days=1) <= field.data - self.today <= FURTHEST:
            raise ValidationError("A shift cannot be put into the past, nor a year ahead or more.")

    @property
    def span(self) -> tuple[Any, Any, Any]:
        return self.day.data, self.starts.data, self.ends.data


class DocumentForm(Form):
    """A next version. `previewed` is the hash of what was looked at: only that is published."""

    title = StringField("Title", [DataRequired("Please give a title."), Length(max=200)])
    body = TextAreaField(
        "Text",
        [DataRequired("Please write the text."), Length(max=LONGEST_TEXT)],
        filters=[one_line_endings],
    )
    material_change = BooleanField("This changes what people agree to: ask them again")
    after_version = HiddenField(filters=[whole_number])
    previewed = HiddenField()

    @property
    def text(self) -> str:
        """The body as it is published: one newline at its end, so that its hash is stable."""
        return f"{(self.body.data or '').strip()}\n"

    @property
    def fingerprint(self) -> str:
        return text_hash(f"{self.title.data}\n{self.text}{self.material_change.data}")

    @property
    def is_as_previewed(self) -> bool:
        return self.previewed.data == self.fingerprint


class LogForm(Form):
    """Which acts to show; a GET form, so without a token."""

    class Meta(Form.Meta):
        csrf = False

    action = SelectField("What", validate_choice=False, default="")
    person = SelectField("Who", validate_choice=False, default="")


class StaffFilterForm(Form):
    class Meta(Form.Meta):
        csrf = False

    role = SelectField("Role", choices=[("", "Everybody"), *ROLE_CHOICES], default="")


class RotationForm(Form):
    """Whether the keys that wrap all others are changed too."""

    new_kek = BooleanField("Make a new wrapping key too")


class FactorResetForm(Form):
    email = EmailField(
        "Their e-mail address",
        [InputRequired("Please give their address."), Length(max=254), is_address],
        filters=[lower],
    )
    reason = TextAreaField(
        "Why, and how you know",
        [DataRequired("Please say why, and how you know that it is them."), Length(max=1000)],
    )
