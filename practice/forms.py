"""The base of every form."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from flask_wtf import FlaskForm
from wtforms import Field, PasswordField

# More than any field takes; numbers beyond it would not even fit into a comparison.
MOST = 10**15


class Form(FlaskForm):
    """A form with the session's CSRF token; text comes in without outer blanks and NULs."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form, unbound_field, options):  # type: ignore[no-untyped-def]
            if unbound_field.field_class is PasswordField:
                return unbound_field.bind(form=form, **options)
            filters = [*unbound_field.kwargs.get("filters", []), _clean]
            return unbound_field.bind(form=form, filters=filters, **options)


def _clean(value: object) -> object:
    if isinstance(value, str):
        # PostgreSQL keeps no NUL, and no person types one.
        return value.replace("\0", "").strip()
    if isinstance(value, int | Decimal) and not _is_reasonable(value):
        # What stands beside the field about its range is then said, instead of an error of ours.
        return None
    return value


def _is_reasonable(number: int | Decimal) -> bool:
    return Decimal(number).is_finite() and abs(number) < MOST


class EmptyForm(Form):
    """Only the CSRF token: for a POST that is one button."""


FormType = TypeVar("FormType", bound=Form)


def with_fields(form: type[FormType], fields: Mapping[str, Field]) -> type[FormType]:
    """The form with more fields, for questions that are known only when the page is asked for."""
    return type(form.__name__, (form,), dict(fields))
