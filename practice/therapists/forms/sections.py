"""Sections of a profile: each reads its columns from a therapist and gives them back."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from wtforms import (
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from core.clock import now
from practice.forms import Form, with_fields
from practice.therapists.models import Therapist
from practice.vocabularies import vocabulary
from practice.web_address import WebAddress

ACUITY = [
    ("0", "People who are managing, and want to look at something"),
    ("1", "People who find daily life harder than usual"),
    ("2", "People who are struggling on most days"),
    ("3", "People who need close and frequent support"),
]
SKILLS = [
    ("1", "I also work with this"),
    ("2", "I work with this often"),
    ("3", "I know this best"),
]


class SectionForm(Form):
    """A page of the profile: reads its columns from a therapist and gives them back."""

    columns: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        return cls(obj=therapist)

    def values(self) -> dict[str, Any]:
        """Column → value, as `operations.save_profile` takes them."""
        return {column: self[column].data for column in self.columns}


class AboutForm(SectionForm):
    columns = ("voice", "about", "practising_since")

    voice = StringField("One sentence in your own voice", [Length(max=300)])
    about = TextAreaField(
        "About you",
        [DataRequired("Please write a few lines."), Length(max=4000)],
    )
    practising_since = IntegerField(
        "The year you began to practise",
        [Optional(), NumberRange(1940, message="Please write a year such as 2012.")],
    )

    def validate_practising_since(self, field: Field) -> None:
        if field.data and field.data > now().year:
            raise ValidationError("This year has not come yet.")


class PeopleForm(SectionForm):
    columns = ("services", "youngest", "oldest", "most_acuity")

    services = SelectMultipleField("Whom you see")
    youngest = IntegerField(
        "From age",
        [
            InputRequired("Please write an age."),
            NumberRange(18, 99, "Attune serves adults, so please write 18 or more."),
        ],
    )
    oldest = IntegerField(
        "Up to age", [Optional(), NumberRange(18, 120, "Please write an age from 18 to 120.")]
    )
    most_acuity = RadioField("How much support the people you see may need", choices=ACUITY)

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        form = cls(obj=therapist)
        form.services.choices = _offers("services")
        return form

    def validate_services(self, field: Field) -> None:
        need_one(field)

    def validate_oldest(self, field: Field) -> None:
        if field.data and self.youngest.data and field.data < self.youngest.data:
            raise ValidationError("This is younger than the age you begin with.")

    def values(self) -> dict[str, Any]:
        return super().values() | {"most_acuity": int(self.most_acuity.data)}


class ConcernsForm(SectionForm):
    """One set of chips a heading; its fields are made from the vocabulary."""

    before: dict[str, int]

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        fields = {
            f"under_{heading.code.replace('-', '_')}": SelectMultipleField(
                heading.label(),
                choices=[
                    (term.code, term.label()) for term in vocabulary("concerns").under(heading.code)
                ],
                default=[
                    term.code
                    for term in vocabulary("concerns").under(heading.code)
                    if term.code in therapist.skills
                ],
            )
            for heading in vocabulary("concerns").headings
        }
        form = with_fields(cls, fields)()
        form.before = dict(therapist.skills)
        return form

    def chips(self) -> Iterator[Field]:
        return (field for field in self if field.name.startswith("under_"))

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        sound = bool(super().validate(*args, **kwargs))
        first = next(self.chips())
        if sound and not self._chosen():
            first.errors = ["Please choose at least one."]
            return False
        return sound

    def values(self) -> dict[str, Any]:
        """A concern that is new counts as "often" until its own page says otherwise."""
        return {"skills": {code: self.before.get(code, 2) for code in self._chosen()}}

    def _chosen(self) -> list[str]:
        return [code for field in self.chips() for code in field.data or []]


class SkillsForm(SectionForm):
    """For each concern they chose, how well they know it."""

    codes: list[str]

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        fields = {
            _field_name(code): RadioField(
                label, choices=SKILLS, default=str(therapist.skills[code])
            )
            for code, label in vocabulary("concerns").choices()
            if code in therapist.skills
        }
        form = with_fields(cls, fields)()
        form.codes = list(therapist.skills)
        return form

    def values(self) -> dict[str, Any]:
        return {"skills": {code: int(self[_field_name(code)].data) for code in self.codes}}


class PracticeForm(SectionForm):
    columns = ("approaches", "languages", "formats", "office", "meeting_link")

    approaches = SelectMultipleField("Approaches you are trained in")
    languages = SelectMultipleField("Languages you can work in")
    formats = SelectMultipleField("How people can meet you")
    office = StringField("Address of your room", [Length(max=200)])
    meeting_link = StringField("Link to your video room", [Length(max=300), WebAddress()])

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        form = cls(obj=therapist)
        form.approaches.choices = vocabulary("approaches").choices()
        form.languages.choices = vocabulary("languages").choices()
        form.formats.choices = vocabulary("formats").choices()
        return form

    def validate_approaches(self, field: Field) -> None:
        need_one(field)

    def validate_languages(self, field: Field) -> None:
        need_one(field)

    def validate_formats(self, field: Field) -> None:
        need_one(field)

    def validate_office(self, field: Field) -> None:
        if "in-person" in (self.formats.data or []) and not field.data:
            raise ValidationError("You meet in person, so people need to know where.")

    def validate_meeting_link(self, field: Field) -> None:
        if "online" in (self.formats.data or []) and not field.data:
            raise ValidationError("You meet online, so people need a link.")


class StyleForm(SectionForm):
    """Where on each axis of style they see themselves; an empty answer says nothing."""

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        steps = [("", "I would rather not say"), *vocabulary("style_steps").choices()]
        fields = {
            axis.code: SelectField(
                axis.label(),
                choices=steps,
                default=_step(therapist.style.get(axis.code)),
                description=f"The first: “{axis.text('low')}” The second: “{axis.text('high')}”",
            )
            for axis in vocabulary("style").terms
        }
        return with_fields(cls, fields)()

    def values(self) -> dict[str, Any]:
        said = {code: self[code].data for code in vocabulary("style").codes}
        return {"style": {code: int(step) for code, step in said.items() if step not in ("", None)}}


class IdentitiesForm(SectionForm):
    """Only what they choose to publish; every attribute may stay empty."""

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        fields = {
            term.code: SelectMultipleField(
                term.label(),
                choices=term.options.choices() if term.options else [],
                default=therapist.identities.get(term.code, []),
            )
            for term in vocabulary("identities").terms
        }
        return with_fields(cls, fields)()

    def values(self) -> dict[str, Any]:
        said = {code: self[code].data for code in vocabulary("identities").codes}
        return {"identities": {code: chosen for code, chosen in said.items() if chosen}}


def _field_name(code: str) -> str:
    return f"skill_{code.replace('-', '_')}"


def need_one(field: Field) -> None:
    if not field.data:
        raise ValidationError("Please choose at least one.")


def _offers(name: str) -> list[tuple[str, str]]:
    return [(term.code, term.text("offer")) for term in vocabulary(name).terms]


def _step(value: float | None) -> str:
    return "" if value is None else str(round(value))
