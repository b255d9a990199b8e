"""The wishes that can be tried out, all on one page: the intake's own questions side by side.

Wishes about the person are no part of it: they are kept as they stand.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from wtforms import Field, RadioField
from wtforms.validators import Optional

from practice.intake.answers import Answers
from practice.intake.forms import (
    STRENGTHS,
    WOULD_LIKE,
    Chips,
    FormatForm,
    HoursForm,
    LanguagesForm,
    PageForm,
    PaymentForm,
    ServiceForm,
)
from practice.vocabularies import vocabulary

APPROACH = "approach"
LEFT_OPEN = ("", "Leave it open")


class OpenServiceForm(ServiceForm):
    """A choice between one and another that can be taken back, too."""

    value = RadioField(
        "Kind of help", [Optional()], choices=[*vocabulary("services").choices(), LEFT_OPEN]
    )


class OpenPaymentForm(PaymentForm):
    kind = RadioField(
        "How you would pay", [Optional()], choices=[*vocabulary("payments").choices(), LEFT_OPEN]
    )

    def answer(self) -> Any:
        return super().answer() if self.kind.data else None


class ApproachForm(PageForm):
    """Of the wishes only the one that is about a way of working."""

    want = Chips("Approach", choices=vocabulary("approaches").choices())
    strength = RadioField(
        "How much does it count?",
        [Optional()],
        choices=[each for each in vocabulary("strengths").choices() if each[0] in STRENGTHS],
    )

    @classmethod
    def fields_from(cls, value: Any) -> dict[str, Any]:
        return dict((value or {}).get(APPROACH) or {})

    def answer(self) -> dict[str, Any] | None:
        if not self.want.data:
            return None
        return {"want": self.want.data, "strength": self.strength.data or WOULD_LIKE}


FORMS: Mapping[str, type[PageForm]] = {
    "hours": HoursForm,
    "payment": OpenPaymentForm,
    "format": FormatForm,
    "languages": LanguagesForm,
    "service": OpenServiceForm,
    "wishes": ApproachForm,
}


class WishesOnTrial:
    """One form for each page of the intake that can be moved, by the page's key.

    `answers` are those that stand; what was sent with the request counts where there is any.
    """

    def __init__(self, answers: Answers, zone: str) -> None:
        self._answers = answers
        self._as_they_stand = {page: _form(page, answers, zone, formdata=None) for page in FORMS}
        self.forms = {page: _form(page, answers, zone) for page in FORMS}

    def __getitem__(self, page: str) -> PageForm:
        return self.forms[page]

    def __iter__(self) -> Iterator[Field]:
        """Every field, for the summary of what to look at again."""
        for form in self.forms.values():
            yield from form

    @property
    def form_errors(self) -> list[str]:
        return [words for form in self.forms.values() for words in form.form_errors]

    def validate(self) -> bool:
        """A page left empty is one that was skipped, and nothing is wrong with it."""
        is_fine = [form.validate() for form in self.forms.values() if _is_given(form)]
        return all(is_fine)

    @property
    def moved(self) -> dict[str, Any]:
        """{page: value} of those that say something else now; call after `validate`."""
        return {page: self._value(page) for page in FORMS if self._is_moved(page)}

    @property
    def digest(self) -> str:
        """SHA-256 in hex of what is moved: whether it is still what a page has shown."""
        return hashlib.sha256(json.dumps(self.moved, sort_keys=True).encode()).hexdigest()

    @property
    def answers(self) -> dict[str, Any]:
        """All answers, as they would stand with what was moved."""
        return {**self._answers, **self.moved}

    def _is_moved(self, page: str) -> bool:
        return _said(self.forms[page]) != _said(self._as_they_stand[page])

    def _value(self, page: str) -> Any:
        value = self.forms[page].answer() if _is_given(self.forms[page]) else None
        return self._with_approach(value) if page == "wishes" else value

    def _with_approach(self, wish: Any) -> dict[str, Any]:
        return about_the_person(self._answers) | ({APPROACH: wish} if wish else {})


def about_the_person(answers: Answers) -> dict[str, Any]:
    """The wishes that cannot be tried out."""
    wishes = answers.get("wishes") or {}
    return {name: wish for name, wish in wishes.items() if name != APPROACH}


def _form(page: str, answers: Answers, zone: str, **formdata: Any) -> PageForm:
    kind = FORMS[page]
    earlier = kind.fields_from(answers.get(page))
    data = {"zone": zone} | {name: value for name, value in earlier.items() if value is not None}
    # The page's own token is looked at before any form is.
    return kind(data=data, prefix=page, meta={"csrf": False}, **formdata)


def _is_given(form: PageForm) -> bool:
    return any(field.data for field in form if field.short_name != "zone")


def _said(form: PageForm) -> dict[str, Any]:
    """What it says, whichever way nothing is written down and whatever the order."""
    data = {name: value for name, value in form.data.items() if value and name != "csrf_token"}
    return (
        {
            name: frozenset(value) if isinstance(value, list) else value
            for name, value in data.items()
        }
        if _is_given(form)
        else {}
    )
