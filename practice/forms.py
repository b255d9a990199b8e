"""The base of every form."""

from flask_wtf import FlaskForm
from wtforms import PasswordField


class Form(FlaskForm):
    """A form with the session's CSRF token; text comes in without outer blanks and NULs."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form, unbound_field, options):  # type: ignore[no-untyped-def]
            if unbound_field.field_class is PasswordField:
                return unbound_field.bind(form=form, **options)
            filters = [*unbound_field.kwargs.get("filters", []), _clean]
            return unbound_field.bind(form=form, filters=filters, **options)


def _clean(value: object) -> object:
    # PostgreSQL keeps no NUL, and no person types one.
    return value.replace("\0", "").strip() if isinstance(value, str) else value


class EmptyForm(Form):
    """Only the CSRF token: for a POST that is one button."""
