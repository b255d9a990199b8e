"""Forms of the waiting list. Those of the lead say which version of the proposal they are about."""

import uuid
from collections.abc import Iterable
from contextlib import suppress

from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length

from practice.forms import Form
from practice.waiting.listing import SHOW_WORDS, Show

EVERYTHING = "all"
# More than are ever counted, and what the database can still compare with.
MOST_VERSIONS = 2**31 - 1


class SeenForm(Form):
    """`seen` is what the page showed."""

    seen = HiddenField()

    @property
    def version(self) -> int:
        """0 for what is no number: then only what nobody has ever changed was seen."""
        with suppress(ValueError):
            return min(int(self.seen.data or 0), MOST_VERSIONS)
        return 0


class ChangeForm(SeenForm):
    therapist = RadioField("Another therapist", [InputRequired("Please choose somebody.")])

    def offer(self, public_ids: Iterable[str]) -> None:
        self.therapist.choices = [(each, each) for each in public_ids]


class RejectForm(SeenForm):
    reason = TextAreaField(
        "Why not these two?",
        [
            InputRequired("Please write a reason."),
            Length(max=1000, message="Please keep to 1000 characters."),
        ],
    )


class ConfirmForm(SeenForm):
    """Which placements: `placement` those ticked or "all", `without` whom to leave out of all."""

    placement = SelectMultipleField("Placements", validate_choice=False)
    without = SelectMultipleField("Left out", validate_choice=False)

    @property
    def is_everything(self) -> bool:
        return EVERYTHING in (self.placement.data or ())

    @property
    def ticked(self) -> set[uuid.UUID]:
        return _ids(self.placement.data)

    @property
    def left_out(self) -> set[uuid.UUID]:
        return _ids(self.without.data)


class ShowForm(Form):
    """Which of those who wait; sent by GET, and what makes no sense is the first."""

    class Meta(Form.Meta):
        csrf = False

    show = SelectField("Show", choices=[(show.value, words) for show, words in SHOW_WORDS.items()])

    @property
    def chosen(self) -> Show:
        return Show(self.show.data) if self.show.data in set(Show) else Show.longest


def _ids(sent: Iterable[str] | None) -> set[uuid.UUID]:
    """Whatever is no id was not ticked on any page of ours."""
    found = set()
    for each in sent or ():
        with suppress(ValueError):
            found.add(uuid.UUID(each))
    return found
