"""How somebody becomes a therapist here: the first page, a supervisor, a licence."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Self
from zoneinfo import ZoneInfo

from wtforms import (
    DateField,
    Field,
    RadioField,
    SelectField,
    StringField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    Optional,
    ValidationError,
)

from core.clock import now
from practice.forms import Form
from practice.npi import npi_problem
from practice.places import PLACES, place_choices
from practice.therapists.forms.sections import SectionForm
from practice.therapists.models import Level, Licence, LicenceKind, Therapist
from practice.therapists.operations import LicenceDetails
from practice.vocabularies import vocabulary

# Years from today. Boards renew every one to five years; what lies beyond is a slip of the pen.
LONGEST_LICENCE = 15
# The compact under which a profession can hold an authority of its own.
COMPACTS = {"PSYPACT": "psychologist", "Counseling Compact": "counsellor"}
LEVELS = [
    (Level.licensed.value, "I hold a full licence"),
    (Level.associate.value, "I work under supervision, with an associate's licence"),
]


class ApplyForm(Form):
    """The first page of an application."""

    name = StringField(
        "Your name, as on your licence",
        [DataRequired("Please write your name."), Length(max=120)],
    )
    profession = SelectField("Your profession")
    level = RadioField("Your licence", choices=LEVELS, default=Level.licensed.value)
    place = SelectField("Where you practise from")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profession.choices = vocabulary("professions").choices()
        self.place.choices = place_choices()

    def validate_level(self, field: Field) -> None:
        _check_level(self.profession.data, field)


class ProfessionForm(SectionForm):
    columns = ("name", "profession", "level", "npi")

    name = StringField(
        "Your name, as on your licence",
        [DataRequired("Please write your name."), Length(max=120)],
    )
    profession = SelectField("Your profession")
    level = RadioField("Your licence", choices=LEVELS)
    npi = StringField("Your NPI", [DataRequired("Please write your NPI.")])

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        form = cls(obj=therapist)
        form.profession.choices = vocabulary("professions").choices()
        return form

    def validate_level(self, field: Field) -> None:
        _check_level(self.profession.data, field)

    def validate_npi(self, field: Field) -> None:
        if problem := npi_problem(field.data or ""):
            raise ValidationError(problem)

    def values(self) -> dict[str, Any]:
        return super().values() | {"level": Level(self.level.data)}


class SupervisorForm(Form):
    """`supervisor` is the public id of one of the possible supervisors, or empty."""

    supervisor = SelectField("Your supervisor", validators=[Optional()])

    @classmethod
    def choosing(cls, possible: Iterable[Therapist], current: Therapist | None) -> Self:
        known = list(possible)
        if current is not None and current not in known:
            known.append(current)
        form = cls(data={"supervisor": str(current.public_id) if current else ""})
        form.supervisor.choices = [
            ("", "Nobody yet"),
            *((str(therapist.public_id), therapist.name) for therapist in known),
        ]
        return form


class LicenceForm(Form):
    is_associate: bool

    kind = RadioField(
        "What it is",
        choices=[
            (LicenceKind.state.value, "A licence of a state"),
            (LicenceKind.compact.value, "My own authority under a compact"),
        ],
        default=LicenceKind.state.value,
    )
    compact = SelectField("Which compact", default="")
    place = SelectField("The place where it lets you practise")
    profession = SelectField("Profession on the licence")
    number = StringField("Number", [DataRequired("Please write the number on it."), Length(max=40)])
    board = StringField(
        "Who issued it", [DataRequired("Please write the name of the board."), Length(max=120)]
    )
    expires_on = DateField(
        "Valid until", [InputRequired("Please write the last day on which it is valid.")]
    )

    @classmethod
    def of(cls, therapist: Therapist, licence: Licence | None = None) -> Self:
        form = cls(obj=licence, **({} if licence else {"profession": therapist.profession}))
        form.is_associate = therapist.is_associate
        form.compact.choices = [("", "None"), *((name, name) for name in COMPACTS)]
        form.place.choices = place_choices()
        form.profession.choices = vocabulary("professions").choices()
        return form

    def validate_kind(self, field: Field) -> None:
        if field.data == LicenceKind.compact and self.is_associate:
            raise ValidationError("Compacts do not cover work under supervision.")

    def validate_compact(self, field: Field) -> None:
        if self.kind.data != LicenceKind.compact:
            return
        if not field.data:
            raise ValidationError("Please choose the compact.")
        if COMPACTS[field.data] != self.profession.data:
            covered = vocabulary("professions").label(COMPACTS[field.data])
            raise ValidationError(f"This compact covers one profession: {covered.lower()}.")

    def validate_expires_on(self, field: Field) -> None:
        here = ZoneInfo(PLACES[self.place.data].zone) if self.place.data in PLACES else None
        if not (field.data and here):
            return
        today = now().astimezone(here).date()
        if field.data < today:
            raise ValidationError("This day has passed. Please renew the licence first.")
        if field.data.year > today.year + LONGEST_LICENCE:
            raise ValidationError("This is very far away. Please look at the year again.")

    def details(self) -> LicenceDetails:
        kind = LicenceKind(self.kind.data)
        return LicenceDetails(
            kind=kind,
            compact=self.compact.data if kind is LicenceKind.compact else "",
            place=self.place.data,
            profession=self.profession.data,
            number=self.number.data,
            board=self.board.data,
            expires_on=_day(self.expires_on.data),
        )


def _check_level(profession: str | None, field: Field) -> None:
    professions = vocabulary("professions")
    supervised = profession in professions.flagged("associate")
    if field.data == Level.associate and not supervised:
        raise ValidationError("This profession has no supervised level.")


def _day(value: date | None) -> date:
    if value is None:
        raise ValueError("the form was not validated")
    return value
