"""The filters of the public list of therapists."""

from typing import Any

from wtforms import (
    IntegerField,
    SelectField,
)
from wtforms.validators import (
    NumberRange,
    Optional,
)

from practice.forms import Form
from practice.places import place_choices
from practice.therapists.directory import Filters
from practice.vocabularies import vocabulary


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
