"""Forms of the question pages: each turns its fields into the page's answer and back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from wtforms import (
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from core.clock import now
from core.config import current_settings
from practice.forms import Form
from practice.hours import CELLS as HOUR_CELLS
from practice.hours import cells_of_windows, parse_window, windows_of_cells
from practice.intake.answers import Answers
from practice.intake.in_words import ZONES, insurers, language_label, wish_names, wish_options
from practice.intake.instruments import INSTRUMENTS
from practice.intake.pages import Page
from practice.places import place_choices
from practice.vocabularies import vocabulary

CHOOSE_OR_SKIP = "Please choose an answer, or use “Skip this one”."
CHOOSE_SOME_OR_SKIP = "Please choose at least one, or use “Skip this one”."
LONGEST_STORY = 5000
OLDEST = 120
HIGHEST_BUDGET = 10_000
YEAR = re.compile("[0-9]{4}")
MONEY = re.compile(r"(?P<whole>[0-9]{1,6})(?:\.(?P<cents>[0-9]{2}))?")


class PageForm(Form):
    """One question page. `answer` is the value to keep, None when nothing was given."""

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        """The form's data for an earlier answer."""
        return {"value": value}

    def answer(self) -> Any:
        return self["value"].data or None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given; a zone is filled in beforehand."""
        given = [field for field in self if field.name not in ("csrf_token", "zone")]
        return not any(field.data for field in given)


class Chips(SelectMultipleField):
    """Any number of choices, each a checkbox."""

    is_choices = True
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class StoryForm(PageForm):
    value = TextAreaField(
        "In your own words",
        [Length(max=LONGEST_STORY, message=f"Please keep to {LONGEST_STORY} characters.")],
    )


class ConcernsForm(PageForm):
    value = Chips(
        "What you would like help with",
        [InputRequired(CHOOSE_SOME_OR_SKIP)],
        choices=vocabulary("concerns").choices(),
    )


class ItemForm(PageForm):
    value = RadioField("Your answer", [InputRequired(CHOOSE_OR_SKIP)], coerce=int)

    def offer(self, page: Page) -> None:
        """The options of the item's own instrument."""
        options = INSTRUMENTS[page.instrument].options
        self.value.choices = [(option.value, option.label) for option in options]

    def answer(self) -> int:
        return cast(int, self.value.data)


class PlaceForm(PageForm):
    value = SelectField(
        "State or territory",
        [InputRequired("Please choose where you will be, or use “Skip this one”.")],
        choices=[("", "Choose a place"), *place_choices()],
    )


class BirthYearForm(PageForm):
    value = StringField("Year", [InputRequired("Please write the year, or use “Skip this one”.")])

    def validate_value(self, field: Field) -> None:
        this_year = now().year
        text = field.data or ""
        if not (YEAR.fullmatch(text) and this_year - OLDEST <= int(text) <= this_year):
            raise ValidationError("Please write the year with four digits, such as 1990.")

    def answer(self) -> int:
        return int(self.value.data or "")


class LanguagesForm(PageForm):
    value = Chips(
        "Languages",
        [InputRequired(CHOOSE_SOME_OR_SKIP)],
        choices=[(code, language_label(code)) for code in vocabulary("languages").codes],
    )


class ServiceForm(PageForm):
    value = RadioField(
        "Kind of help",
        [InputRequired(CHOOSE_OR_SKIP)],
        choices=vocabulary("services").choices(),
    )


class FormatForm(PageForm):
    value = Chips(
        "Ways of meeting",
        [InputRequired(CHOOSE_SOME_OR_SKIP)],
        choices=vocabulary("formats").choices(),
    )


class PaymentForm(PageForm):
    kind = RadioField(
        "How you would pay",
        [InputRequired(CHOOSE_OR_SKIP)],
        choices=vocabulary("payments").choices(),
    )
    insurer = SelectField(
        "Which insurance",
        choices=[("", "Choose one"), *insurers().choices()],
        default="",
    )
    budget = StringField("The most you could pay for one meeting")

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        given = value or {}
        budget = given.get("budget")
        return {
            "kind": given.get("kind"),
            "insurer": given.get("insurer") or "",
            "budget": "" if budget is None else money_text(budget),
        }

    def validate_insurer(self, field: Field) -> None:
        if self.kind.data == "insurance" and not field.data:
            raise ValidationError("Please choose which insurance you have.")

    def validate_budget(self, field: Field) -> None:
        if field.data and minor_units(field.data) is None:
            raise ValidationError("Please write an amount such as 90 or 90.50, or leave it empty.")

    def answer(self) -> dict[str, Any]:
        return {
            "kind": self.kind.data,
            "insurer": (self.insurer.data or None) if self.kind.data == "insurance" else None,
            "budget": minor_units(self.budget.data or "") if self.kind.data != "free" else None,
            "currency": current_settings().currency,
        }


class HoursForm(PageForm):
    zone = SelectField("Your time zone", choices=list(ZONES.items()))
    cells = Chips(
        "Parts of the week", [InputRequired(CHOOSE_SOME_OR_SKIP)], choices=list(HOUR_CELLS)
    )

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        given = value or {}
        windows = [parse_window(text) for text in given.get("windows", ())]
        return {"zone": given.get("zone"), "cells": list(cells_of_windows(windows))}

    def answer(self) -> dict[str, Any]:
        windows = windows_of_cells(self.cells.data or ())
        return {"zone": self.zone.data, "windows": [str(window) for window in windows]}


class WeightsForm(PageForm):
    """A choice of 1 to 3 for each concern; `weights_form` makes its fields."""

    codes: Sequence[str] = ()

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        return {_name(code): str(weight) for code, weight in (value or {}).items()}

    def answer(self) -> dict[str, int]:
        chosen = {code: self[_name(code)].data for code in self.codes}
        return {code: int(weight) for code, weight in chosen.items() if weight}


def weights_form(concerns: Sequence[str]) -> type[WeightsForm]:
    """The form that asks how heavy each of these concerns is."""
    fields = {_name(code): _weight_field(code) for code in concerns}
    return type("WeightsForm", (WeightsForm,), {"codes": tuple(concerns), **fields})


def _weight_field(code: str) -> Field:
    choices = vocabulary("severities").choices()
    return RadioField(vocabulary("concerns").label(code), [Optional()], choices=choices)


def _name(code: str) -> str:
    return f"about-{code}"


class WishesForm(PageForm):
    """What would be welcome in a therapist; its fields are made below from the vocabularies."""

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, wish in (value or {}).items():
            data |= {f"{name}-want": wish["want"], f"{name}-strength": wish["strength"]}
        return data

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        fine = super().validate(extra_validators)
        return all([fine, *(self._agrees(name) for name in MAY_BE_MUST)])

    def _agrees(self, name: str) -> bool:
        """A strength and what it is about belong together; says so beside the strength."""
        want, strength = self[f"{name}-want"].data, self[f"{name}-strength"]
        if want and strength.data == NO_PREFERENCE:
            strength.errors = [
                *strength.errors,
                "You chose something above. How much does it count?",
            ]
        elif strength.data in STRENGTHS and not want:
            strength.errors = [*strength.errors, "Please choose what this is about, above."]
        return not strength.errors

    def answer(self) -> dict[str, Any]:
        wanted = {name: self[f"{name}-want"].data for name in wish_names()}
        return {
            name: {"want": want, "strength": self._strength(name)}
            for name, want in wanted.items()
            if want
        }

    def _strength(self, name: str) -> str:
        if name not in MAY_BE_MUST:
            return WOULD_LIKE
        return self[f"{name}-strength"].data or WOULD_LIKE


NO_PREFERENCE = "no_preference"
WOULD_LIKE = "would_like"
STRENGTHS = ("must_have", WOULD_LIKE)
MAY_BE_MUST = frozenset({"approach"}) | vocabulary("identities").flagged("may_be_must")

for _wish, _label in wish_names().items():
    setattr(WishesForm, f"{_wish}-want", Chips(_label, choices=wish_options(_wish).choices()))
for _wish in MAY_BE_MUST:
    _strengths = vocabulary("strengths").choices()
    _asked = f"{wish_names()[_wish]}: how much does it count?"
    _strength = RadioField(_asked, [Optional()], choices=_strengths)
    setattr(WishesForm, f"{_wish}-strength", _strength)


class StyleForm(PageForm):
    """Four axes; its fields are made below from the vocabulary."""

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        return {axis: str(step) for axis, step in (value or {}).items()}

    def answer(self) -> dict[str, int]:
        chosen = {axis: self[axis].data for axis in vocabulary("style").codes}
        return {axis: int(step) for axis, step in chosen.items() if step}


for _axis in vocabulary("style").terms:
    _steps = [("", "No preference"), *vocabulary("style_steps").choices()]
    _field = SelectField(_axis.text("question"), choices=_steps, default="")
    setattr(StyleForm, _axis.code, _field)


class AboutYouForm(PageForm):
    """What somebody states about themselves; its fields are made below from the vocabulary."""

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        return dict(value or {})

    def answer(self) -> dict[str, list[str]] | None:
        stated = {name: self[name].data for name in vocabulary("about_you").codes}
        return {name: codes for name, codes in stated.items() if codes} or None


for _about in vocabulary("about_you").terms:
    assert _about.options is not None
    setattr(AboutYouForm, _about.code, Chips(_about.label(), choices=_about.options.choices()))

FORMS: Mapping[str, type[PageForm]] = {
    "story": StoryForm,
    "concerns": ConcernsForm,
    "place": PlaceForm,
    "birth-year": BirthYearForm,
    "languages": LanguagesForm,
    "service": ServiceForm,
    "format": FormatForm,
    "payment": PaymentForm,
    "hours": HoursForm,
    "wishes": WishesForm,
    "style": StyleForm,
    "about-you": AboutYouForm,
}


def form_for(page: Page, answers: Answers, zone: str) -> PageForm:
    """The form of a page with what was answered before; `zone` is where the client is."""
    kind = _form_class(page, answers)
    earlier = kind.fields_from(answers.get(page.key))
    form = kind(
        data={"zone": zone} | {name: data for name, data in earlier.items() if data is not None}
    )
    if isinstance(form, ItemForm):
        form.offer(page)
    return form


def _form_class(page: Page, answers: Answers) -> type[PageForm]:
    if page.instrument:
        return ItemForm
    if page.key == "concern-weights":
        return weights_form(answers.get("concerns") or ())
    return FORMS[page.key]


def minor_units(text: str) -> int | None:
    """ "$90.50" → 9050; None for anything that is no amount up to the highest."""
    found = MONEY.fullmatch(text.strip().lstrip("$£€").replace(",", ""))
    if not found:
        return None
    amount = int(found["whole"]) * 100 + int(found["cents"] or 0)
    return amount if amount <= HIGHEST_BUDGET * 100 else None


def money_text(minor: int) -> str:
    whole, cents = divmod(minor, 100)
    return f"{whole}.{cents:02d}" if cents else str(whole)
