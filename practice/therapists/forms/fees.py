"""What a session costs and how people can pay."""

from decimal import Decimal
from typing import Any, Self

from wtforms import (
    DecimalField,
    Field,
    SelectMultipleField,
)
from wtforms.validators import (
    InputRequired,
    NumberRange,
    Optional,
    StopValidation,
    ValidationError,
)

from practice.forms import Form
from practice.therapists.forms.sections import SectionForm, need_one
from practice.therapists.models import Therapist
from practice.vocabularies import vocabulary

MOST_FEE = Decimal(2000)
PLANS_TEXT = "Insurance: "


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
        need_one(field)

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


def _major(minor: int | None) -> Decimal | None:
    return None if minor is None else Decimal(minor) / 100


def _minor(major: Decimal | None) -> int | None:
    return None if major is None else int((major * 100).to_integral_value())
