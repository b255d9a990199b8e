"""Forms of accounts."""

from typing import Any

from email_validator import EmailNotValidError, validate_email
from wtforms import (
    EmailField,
    HiddenField,
    PasswordField,
    SelectMultipleField,
    StringField,
    TelField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp

from core.config import current_settings
from practice.accounts.models import Role, User
from practice.accounts.passkeys import LONGEST_ANSWER
from practice.accounts.passwords import (
    LONGEST,
    SHORTEST,
    SHORTEST_WITH_SECOND_FACTOR,
    WORDS,
    find_fault,
)
from practice.forms import Form

PHONE = Regexp(
    r"^\+?[0-9 ()./-]{6,40}$", message="Please write the number with digits, such as 206 555 0100."
)


def lower(value: str | None) -> str | None:
    return value.lower() if value else value


def without_blanks(value: str | None) -> str | None:
    return "".join(value.split()) if value else value


def address_fault(email: str) -> str | None:
    """What is wrong with the shape of an e-mail address; whether it exists, a mail to it tells."""
    try:
        # Names reserved for tests (RFC 2606) are well-formed too.
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "This does not look like an e-mail address, such as sam@example.org."
    return None


def is_address(_form: Any, field: Any) -> None:
    if fault := address_fault(field.data):
        raise ValidationError(fault)


def is_good_password(form: Any, field: Any) -> None:
    if fault := find_fault(field.data, form.about, second_factor=form.second_factor):
        raise ValidationError(fault)


class PasswordForm(Form):
    """A form with a new password. `about` is what must not be in it."""

    about: tuple[str, ...] = ()
    second_factor = False

    @property
    def password_hint(self) -> str:
        shortest = SHORTEST_WITH_SECOND_FACTOR if self.second_factor else SHORTEST
        return f"At least {shortest} characters, of any kind. {WORDS}"

    def is_for(self, user: User, *, second_factor: bool) -> "PasswordForm":
        self.about = (user.email, user.name, current_settings().organisation)
        self.second_factor = second_factor
        return self


class AddressForm(Form):
    """An e-mail address to which we send something."""

    email = EmailField(
        "E-mail address",
        [InputRequired("Please give your e-mail address."), Length(max=254), is_address],
        filters=[lower],
    )


class SignUpForm(AddressForm, PasswordForm):
    """`adult` comes from the question before; a therapist is not asked it."""

    adult = HiddenField()
    audience = HiddenField(name="for")
    password = PasswordField(
        "Password", [InputRequired("Please choose a password."), is_good_password]
    )

    @property
    def about(self) -> tuple[str, ...]:
        return (self.email.data or "", current_settings().organisation)

    @property
    def role(self) -> Role:
        return Role.therapist if self.audience.data == Role.therapist else Role.client

    @property
    def may_sign_up(self) -> bool:
        return self.role is Role.therapist or self.adult.data == "yes"


class ConfirmForm(Form):
    """The password is asked for unless this browser is the one that chose it.

    Anybody can sign up with somebody else's address: a click in that mail alone must not open an
    account to which a stranger has the password.
    """

    password = PasswordField(
        "The password you chose",
        [InputRequired("Please give your password."), Length(max=LONGEST * 4)],
    )

    def ask_only(self, *, elsewhere: bool) -> None:
        if not elsewhere:
            del self.password


class LeadingOn(Form):
    """A form after which one goes on to where one wanted to be."""

    next = HiddenField()

    @property
    def next_path(self) -> str:
        """Where to go afterwards: a path of ours, or nothing."""
        return local_path(self.next.data or "")


class CodeForm(LeadingOn):
    code = StringField(
        "Code", [InputRequired("Please type the code."), Length(max=40)], filters=[without_blanks]
    )


class ProofForm(LeadingOn):
    """The password, and a code where the account has a second factor."""

    password = PasswordField(
        "Password", [InputRequired("Please give your password."), Length(max=LONGEST * 4)]
    )
    code = StringField(
        "Code", [InputRequired("Please type the code."), Length(max=40)], filters=[without_blanks]
    )

    def ask_for_code(self, *, wanted: bool) -> None:
        if not wanted:
            del self.code


class PasskeyForm(LeadingOn):
    """What the browser's passkey answered, put into the form by a script."""

    credential = HiddenField(validators=[InputRequired(), Length(max=LONGEST_ANSWER)])


class PasskeyNameForm(Form):
    name = StringField(
        "Name", [InputRequired("Please give it a name you will know again."), Length(max=60)]
    )


class NewPasskeyForm(PasskeyNameForm, PasskeyForm):
    pass


class RemovalForm(Form):
    """The password once more: without a second factor it must be a long one."""

    password = PasswordField(
        "Your password", [InputRequired("Please give your password."), Length(max=LONGEST * 4)]
    )


class SignInForm(LeadingOn):
    email = EmailField(
        "E-mail address", [InputRequired("Please give your e-mail address.")], filters=[lower]
    )
    password = PasswordField(
        "Password", [InputRequired("Please give your password."), Length(max=LONGEST * 4)]
    )


class NewPasswordForm(PasswordForm):
    password = PasswordField(
        "New password", [InputRequired("Please choose a password."), is_good_password]
    )


class TakenBackForm(NewPasswordForm):
    """A new password, and what of the time before is to go; for that the password of before."""

    remove = SelectMultipleField("Remove what is not yours")
    old_password = PasswordField("The password you had before", [Length(max=LONGEST * 4)])

    def offer(self, ways: list[tuple[str, str]]) -> "TakenBackForm":
        self.remove.choices = ways
        if not ways:
            del self.remove, self.old_password
        return self

    @property
    def chosen(self) -> list[str]:
        return self.remove.data or [] if "remove" in self else []


class DetailsForm(Form):
    name = StringField("What should we call you?", [Length(max=80)])

    @property
    def details(self) -> dict[str, str]:
        return {"name": self.name.data or ""}


class ClientDetailsForm(DetailsForm):
    phone = TelField("Telephone", [Optional(), PHONE])

    @property
    def details(self) -> dict[str, str]:
        return super().details | {"phone": self.phone.data or ""}


def local_path(address: str) -> str:
    """The address if it is a plain path here, else nothing: no other site is ever led to."""
    is_ours = address.startswith("/") and not address.startswith("//")
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if is_ours and plain else ""
