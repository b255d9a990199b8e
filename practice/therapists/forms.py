"""Forms of the directory, of the application and of each section of a profile."""

from collections.abc import Iterable, Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any, ClassVar, Self, TypeVar
from zoneinfo import ZoneInfo

from wtforms import (
    DateField,
    DecimalField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    StopValidation,
    ValidationError,
)

from core.clock import now
from practice.forms import Form
from practice.hours import WEEKDAYS, BadHours, WeeklyWindow, merged
from practice.npi import npi_problem
from practice.places import PLACES, place_choices
from practice.therapists.directory import Filters
from practice.therapists.models import Level, Licence, LicenceKind, Therapist
from practice.therapists.operations import LicenceDetails
from practice.vocabularies import vocabulary

MOST_FEE = Decimal(2000)
# Years from today. Boards renew every one to five years; what lies beyond is a slip of the pen.
LONGEST_LICENCE = 15
# The compact under which a profession can hold an authority of its own.
COMPACTS = {"PSYPACT": "psychologist", "Counseling Compact": "counsellor"}
LEVELS = [
    (Level.licensed.value, "I hold a full licence"),
    (Level.associate.value, "I work under supervision, with an associate's licence"),
]
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
PLANS_TEXT = "Insurance: "


class DirectoryForm(Form):
    """Filters of the public list, sent by GET; one that makes no sense is left out."""

    class Meta(Form.Meta):
        csrf = False

    place = SelectField("Where you are", validators=[Optional()])
    concern = SelectField("What it is about", validators=[Optional()])
    language = SelectField("Language", validators=[Optional()])
    format = SelectField("How you would meet", validators=[Optional()])
    most = IntegerField(
        "Most you can pay for a session",
        [Optional(), NumberRange(0, 5000, "Please write a whole number from 0 to 5000.")],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place.choices = [("", "Any place"), *place_choices()]
        self.concern.choices = [("", "Anything"), *vocabulary("concerns").choices()]
        self.language.choices = [("", "Any language"), *vocabulary("languages").choices()]
        self.format.choices = [("", "Any way"), *vocabulary("formats").choices()]

    def filters(self) -> Filters:
        self.validate()
        sound = {field.name: field.data for field in self if not field.errors and field.data != ""}
        most = sound.pop("most", None)
        return Filters(**sound, most=None if most is None else most * 100)


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
        _need_one(field)

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
        form = _with_fields(cls, fields)()
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
        form = _with_fields(cls, fields)()
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
    meeting_link = StringField("Link to your video room", [Length(max=300)])

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        form = cls(obj=therapist)
        form.approaches.choices = vocabulary("approaches").choices()
        form.languages.choices = vocabulary("languages").choices()
        form.formats.choices = vocabulary("formats").choices()
        return form

    def validate_approaches(self, field: Field) -> None:
        _need_one(field)

    def validate_languages(self, field: Field) -> None:
        _need_one(field)

    def validate_formats(self, field: Field) -> None:
        _need_one(field)

    def validate_office(self, field: Field) -> None:
        if "in-person" in (self.formats.data or []) and not field.data:
            raise ValidationError("You meet in person, so people need to know where.")

    def validate_meeting_link(self, field: Field) -> None:
        if field.data and not field.data.startswith("https://"):
            raise ValidationError("Please write a link that begins with https://.")
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
        return _with_fields(cls, fields)()

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
        return _with_fields(cls, fields)()

    def values(self) -> dict[str, Any]:
        said = {code: self[code].data for code in vocabulary("identities").codes}
        return {"identities": {code: chosen for code, chosen in said.items() if chosen}}


def _needed_to_slide(form: Form, field: Field) -> None:
    """Before Optional, which would end the matter for an empty field."""
    if "sliding" in (form.payments.data or []) and not any(field.raw_data or []):
        raise StopValidation("You offer a sliding fee, so please say where it begins.")


class AmountField(DecimalField):
    """An amount of money. What Decimal also reads (NaN, infinities) is no amount."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError(self.gettext("Not a valid decimal value."))


class FeesForm(SectionForm):
    payments = SelectMultipleField("How people can pay")
    fee = AmountField(
        "Your fee for a session",
        [
            InputRequired("Please write your fee; write 0 if you never charge."),
            NumberRange(0, MOST_FEE, "Please write an amount from 0 to 2000."),
        ],
    )
    sliding_from = AmountField(
        "The lowest fee on your sliding scale",
        [
            _needed_to_slide,
            Optional(),
            NumberRange(0, MOST_FEE, "Please write an amount from 0 to 2000."),
        ],
    )

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        form = cls(
            data={
                "payments": therapist.payments,
                "fee": _major(therapist.fee),
                "sliding_from": _major(therapist.sliding_from),
            }
        )
        form.payments.choices = _payment_choices()
        return form

    def validate_payments(self, field: Field) -> None:
        _need_one(field)

    def validate_sliding_from(self, field: Field) -> None:
        if field.data is not None and self.fee.data is not None and field.data > self.fee.data:
            raise ValidationError("This is more than your fee.")

    def values(self) -> dict[str, Any]:
        chosen = list(self.payments.data)
        if self.sliding_from.data is not None and "sliding" not in chosen:
            chosen.append("sliding")
        return {
            "payments": _with_insurance(chosen),
            "fee": _minor(self.fee.data),
            "sliding_from": _minor(self.sliding_from.data),
        }


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


class CapacityForm(Form):
    open_places = IntegerField(
        "How many new people you can take now",
        [
            InputRequired("Please write a number; 0 is fine."),
            NumberRange(0, 50, "Please write a number from 0 to 50."),
        ],
    )


FormType = TypeVar("FormType", bound=Form)
WINDOWS_A_DAY = 2
Pair = tuple[Field, Field]


class HoursForm(Form):
    """At least two windows a day; `days` gives (weekday, its pairs of fields) for the page."""

    zone = SelectField("Your time zone")

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        fields = dict(_time_fields(therapist))
        form = _with_fields(cls, fields)(data={"zone": therapist.zone})
        zones = {place.zone for place in PLACES.values()} | {therapist.zone}
        form.zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(zones)]
        return form

    def days(self) -> list[tuple[str, list[Pair]]]:
        return [(label, self._pairs(weekday)) for weekday, label in enumerate(WEEKDAYS)]

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        if not super().validate(*args, **kwargs):
            return False
        unsound = [pair for _, pairs in self.days() for pair in pairs if not self._is_sound(pair)]
        return not unsound

    def windows(self) -> list[tuple[int, time, time]]:
        """The hours as `operations.set_hours` takes them, joined where they touch."""
        given = [
            WeeklyWindow(weekday, starts.data, ends.data)
            for weekday in range(len(WEEKDAYS))
            for starts, ends in self._pairs(weekday)
            if starts.data is not None
        ]
        return [(window.weekday, window.starts, window.ends) for window in merged(given)]

    def _pairs(self, weekday: int) -> list[Pair]:
        starts = [field for field in self if field.name.startswith(f"day_{weekday}_from_")]
        return [(field, self[field.name.replace("_from_", "_to_")]) for field in starts]

    def _is_sound(self, pair: Pair) -> bool:
        starts, ends = pair
        if starts.data is None and ends.data is None:
            return True
        if starts.data is None or ends.data is None:
            empty = starts if starts.data is None else ends
            empty.errors = ["Please write both times, or neither."]
            return False
        try:
            WeeklyWindow(0, starts.data, ends.data)
        except BadHours as bad:
            ends.errors = [str(bad)]
            return False
        return True


def _time_fields(therapist: Therapist) -> Iterator[tuple[str, Field]]:
    for weekday, label in enumerate(WEEKDAYS):
        known = sorted((w.starts, w.ends) for w in therapist.hours if w.weekday == weekday)
        for turn in range(max(WINDOWS_A_DAY, len(known))):
            starts, ends = known[turn] if turn < len(known) else (None, None)
            again = "" if turn == 0 else ", again"
            yield (
                f"day_{weekday}_from_{turn}",
                TimeField(f"{label}{again} from", [Optional()], default=starts),
            )
            yield (
                f"day_{weekday}_to_{turn}",
                TimeField(f"{label}{again} to", [Optional()], default=ends),
            )


def _with_fields(form: type[FormType], fields: dict[str, Field]) -> type[FormType]:
    return type(form.__name__, (form,), fields)


def _field_name(code: str) -> str:
    return f"skill_{code.replace('-', '_')}"


def _need_one(field: Field) -> None:
    if not field.data:
        raise ValidationError("Please choose at least one.")


def _check_level(profession: str | None, field: Field) -> None:
    professions = vocabulary("professions")
    supervised = profession in professions.flagged("associate")
    if field.data == Level.associate and not supervised:
        raise ValidationError("This profession has no supervised level.")


def _offers(name: str) -> list[tuple[str, str]]:
    return [(term.code, term.text("offer")) for term in vocabulary(name).terms]


def _payment_choices() -> list[tuple[str, str]]:
    choices = []
    for term in vocabulary("payments").terms:
        if term.options:
            choices += [(code, PLANS_TEXT + label) for code, label in term.options.choices()]
        else:
            choices.append((term.code, term.text("offer")))
    return choices


def _with_insurance(chosen: list[str]) -> list[str]:
    """The chosen codes, with "insurance" whenever a plan is among them."""
    plans = vocabulary("payments").term("insurance").options
    takes_a_plan = plans is not None and bool(set(plans.codes) & set(chosen))
    return [*chosen, "insurance"] if takes_a_plan else chosen


def _step(value: float | None) -> str:
    return "" if value is None else str(round(value))


def _major(minor: int | None) -> Decimal | None:
    return None if minor is None else Decimal(minor) / 100


def _minor(major: Decimal | None) -> int | None:
    return None if major is None else int((major * 100).to_integral_value())


def _day(value: date | None) -> date:
    if value is None:
        raise ValueError("the form was not validated")
    return value
