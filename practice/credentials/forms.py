"""Forms of the pages of credentials."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    Optional,
    ValidationError,
)

from core.clock import now, require_aware
from core.config import current_settings
from practice.credentials.deciding import TOLD, Choice
from practice.credentials.operations import LicenceFinding, NpiFinding
from practice.forms import Form
from practice.npi import npi_problem
from practice.therapists.models import Licence, Therapist
from practice.web_address import WebAddress

NPI_REGISTRY = "NPPES NPI Registry"


class FindForm(Form):
    """Looking for somebody who waits for nothing; sent by GET."""

    class Meta(Form.Meta):
        csrf = False

    name = StringField("Name", [Length(max=120)])


class LookUpForm(Form):
    """What every look-up says: where, when, whose name was found."""

    source = StringField(
        "Where you looked", [DataRequired("Please write whose register it is."), Length(max=200)]
    )
    retrieved_on = DateField("The day you looked", [InputRequired("Please write the day.")])
    found_name = StringField(
        "Name as it stands there",
        [DataRequired("Please write the name as the register shows it."), Length(max=200)],
    )
    same_person = TextAreaField(
        "If the name differs: how you know it is the same person", [Length(max=500)]
    )

    def validate_retrieved_on(self, field: Field) -> None:
        if field.data and field.data > today_here():
            raise ValidationError("This day has not come yet.")

    def retrieved_at(self) -> datetime:
        """The instant of the look-up: now for today, else noon of that day where we are."""
        day = self.retrieved_on.data
        if day is None:
            raise ValueError("the form was not validated")
        if day == today_here():
            return now()
        return datetime.combine(day, time(12), tzinfo=zone_here()).astimezone(UTC)


class LicenceCheckForm(LookUpForm):
    source_address = StringField(
        "Address of the page",
        [Length(max=300), WebAddress()],
    )
    verbatim_status = TextAreaField(
        "What it said, word for word",
        [DataRequired("Please copy what the page said."), Length(max=4000)],
    )
    found_number = StringField(
        "Number as it stands there",
        [DataRequired("Please write the number as the register shows it."), Length(max=40)],
    )
    found_expires_on = DateField("Valid until, as it stands there", [Optional()])
    discipline = BooleanField("It shows discipline or a restriction")
    # What stood on the page while the licence was looked up: it may have been changed since.
    declared_at = HiddenField()

    @classmethod
    def about(cls, licence: Licence) -> "LicenceCheckForm":
        form = cls(source=licence.board, retrieved_on=today_here())
        form.show(licence)
        return form

    def show(self, licence: Licence) -> None:
        """The page shows the licence as it stands now."""
        self.declared_at.data = licence.declared_at.isoformat()

    def looked_up(self) -> datetime | None:
        """When the licence that was looked up had been declared; None when nothing says so."""
        try:
            return require_aware(datetime.fromisoformat(self.declared_at.data or ""))
        except ValueError:
            return None

    def finding(self) -> LicenceFinding:
        return LicenceFinding(
            source=self.source.data,
            source_address=self.source_address.data or "",
            retrieved_at=self.retrieved_at(),
            verbatim_status=self.verbatim_status.data,
            found_name=self.found_name.data,
            found_number=self.found_number.data,
            found_expires_on=self.found_expires_on.data,
            discipline=self.discipline.data,
            same_person=self.same_person.data or "",
        )


class NpiCheckForm(LookUpForm):
    npi = StringField("The NPI that you looked up", [DataRequired("Please write the NPI.")])
    found_taxonomy = StringField("Profession as it stands there", [Length(max=200)])

    @classmethod
    def about(cls, therapist: Therapist) -> "NpiCheckForm":
        return cls(npi=therapist.npi, source=NPI_REGISTRY, retrieved_on=today_here())

    def validate_npi(self, field: Field) -> None:
        if problem := npi_problem(field.data or ""):
            raise ValidationError(problem)

    def finding(self) -> NpiFinding:
        return NpiFinding(
            npi=self.npi.data,
            source=self.source.data,
            retrieved_at=self.retrieved_at(),
            found_name=self.found_name.data,
            found_taxonomy=self.found_taxonomy.data or "",
            same_person=self.same_person.data or "",
        )


class DecisionForm(Form):
    to = RadioField("Your decision", validators=[InputRequired("Please choose one.")])
    reason = TextAreaField(
        "Why, for the record",
        [DataRequired("Please give a reason."), Length(max=2000)],
    )
    missing = TextAreaField("What the therapist reads", [Length(max=2000)])

    @classmethod
    def offering(cls, choices: Iterable[Choice], **kwargs: Any) -> "DecisionForm":
        form = cls(**kwargs)
        form.to.choices = [(choice.to, choice.label) for choice in choices]
        return form

    def validate_missing(self, field: Field) -> None:
        if self.to.data in TOLD and not field.data:
            raise ValidationError("Please say what is needed, or why, in words for the therapist.")


def today_here() -> date:
    return now().astimezone(zone_here()).date()


def zone_here() -> ZoneInfo:
    """The zone of the organisation, in which its staff read the clock."""
    settings = current_settings()
    return ZoneInfo(settings.zone)
