"""Forms of the weights and of the replay."""

import uuid
from typing import Any

from wtforms import IntegerField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, StopValidation

import matching
from practice.forms import Form, with_fields
from practice.matches.market.weighing import FACTOR_NAMES
from practice.matches.replaying import ReplayReason

SUM = 1000
WHOLE = "Please give a whole number from 0 to 1000."


def is_weight(_form: Form, field: Any) -> None:
    if field.data is None or not 0 <= field.data <= SUM:
        # Whatever else is amiss with it, one sentence says what to do.
        field.errors[:] = []
        raise StopValidation(WHOLE)


def _weight(factor: str) -> IntegerField:
    return IntegerField(FACTOR_NAMES[factor], [is_weight])


class WeightsForm(
    with_fields(Form, {factor: _weight(factor) for factor in matching.FACTORS})  # type: ignore[misc]
):
    """One whole number a factor, which sum to 1000, and why."""

    reason = TextAreaField("Why these weights", [DataRequired("Please say why."), Length(max=1000)])

    @property
    def weights(self) -> dict[str, int]:
        return {factor: self[factor].data for factor in matching.FACTORS}

    @property
    def given(self) -> int:
        """What has been given so far; a field that says no number has none."""
        fields = (self[factor] for factor in matching.FACTORS)
        return sum(field.data or 0 for field in fields)

    @property
    def left(self) -> int:
        """What is left to give; below zero what is too much."""
        return SUM - self.given

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid: bool = super().validate(extra_validators)
        if self.left and not any(self[factor].errors for factor in matching.FACTORS):
            self.form_errors.append(f"The nine must add up to 1000. {self.left_words}")
        return is_valid and not self.form_errors

    @property
    def left_words(self) -> str:
        if not self.left:
            return "All 1000 are given."
        if self.left > 0:
            return f"{self.given} are given; {self.left} are left to give."
        return f"{self.given} are given; that is {-self.left} too many."


class ReplayForm(Form):
    number = StringField("Number of the list", [DataRequired("Please give the number.")])
    reason = RadioField(
        "Why",
        [InputRequired("Please choose why.")],
        choices=[(reason.value, reason.label) for reason in ReplayReason],
    )

    def validate_number(self, field: Any) -> None:
        if self.wanted is None:
            raise ValidationError(
                "That is no number of a list. It has 32 digits and letters with four hyphens."
            )

    @property
    def wanted(self) -> uuid.UUID | None:
        try:
            return uuid.UUID("".join((self.number.data or "").split()))
        except ValueError:
            return None
