"""Forms of the catalogue, of joining and leaving, and of a leader's own groups."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    Field,
    HiddenField,
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
    Regexp,
    ValidationError,
)

from core.clock import now
from core.config import current_settings
from core.money import format_money
from practice.accounts.models import Client
from practice.consent.forms import SignForm
from practice.forms import Form
from practice.groups.leading import Terms, Words
from practice.groups.models import Enrolment, Group, GroupKind, RefundTemplate
from practice.groups.operations import Joining
from practice.groups.queries import Filters
from practice.groups.refunds import TEMPLATE_WORDS
from practice.places import PLACES, place_choices
from practice.therapists.models import Therapist
from practice.vocabularies import vocabulary

PRICE_STEPS = (10000, 25000, 50000)
HANDLE = re.compile(r"[^\W_][\w '’.-]{0,28}[\w.]")
MOST_PRICE = Decimal(10000)
MOST_PEERS = 4
MOST_AWAY = timedelta(days=730)


class FilterForm(Form):
    """Filters of the catalogue, sent by GET; one that makes no sense is left out."""

    class Meta(Form.Meta):
        csrf = False

    kind = SelectField("Kind of group", validators=[Optional()])
    topic = SelectField("What it is about", validators=[Optional()])
    most = SelectField("Price", validators=[Optional()])
    format = SelectField("How you would meet", validators=[Optional()])
    language = SelectField("Language", validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [("", "Any kind"), *vocabulary("group_kinds").choices()]
        self.topic.choices = [("", "Anything"), *vocabulary("concerns").choices()]
        self.most.choices = _price_choices()
        self.format.choices = [("", "Any way"), *vocabulary("formats").choices()]
        self.language.choices = [("", "Any language"), *vocabulary("languages").choices()]

    def filters(self) -> Filters:
        self.validate()
        sound = {field.name: field.data for field in self if field.data and not field.errors}
        most = sound.pop("most", None)
        return Filters(**sound, most=None if most is None else int(most))


def is_handle(_form: Any, field: Field) -> None:
    if not HANDLE.fullmatch(field.data or ""):
        raise ValidationError("Please use 2 to 30 letters, digits or spaces.")


class _JoinFields(Form):
    """`place` is only asked of who has not said it, `handle` of who has not chosen one."""

    place = SelectField("Where you are", [InputRequired("Please choose where you are.")])
    handle = StringField("Your name in this group", [is_handle])

    def ask_only(self, client: Client, known: Enrolment | None) -> Self:
        self.place.choices = [("", "Please choose"), *place_choices()]
        if client.place:
            del self.place
        if known is not None and known.is_live:
            del self.handle
        return self

    def joining(self, client: Client, known: Enrolment | None, **more: Any) -> Joining:
        handle = self.handle.data if "handle" in self else (known.handle if known else "")
        place = self.place.data if "place" in self else client.place
        return Joining(handle=handle, place=place, **more)


class AskForm(_JoinFields):
    """A request to join a group that its leader screens."""

    why = TextAreaField(
        "What brings you to this group",
        [DataRequired("Please write a line or two for the leader."), Length(max=2000)],
    )


class SeatForm(SignForm, _JoinFields):
    """The group's consent under a signature, and what the seat needs."""


class LeaveForm(Form):
    """`expected` is the refund the person was shown, in minor units."""

    expected = HiddenField(validators=[Regexp(r"^\d{1,9}$")])


class ScreeningForm(Form):
    """A leader's answer; the reason is for the leaders alone."""

    answer = RadioField(
        "Your answer",
        [InputRequired("Please choose one.")],
        choices=[("invite", "Invite them to take a seat"), ("decline", "Not this group")],
    )
    reason = TextAreaField(
        "Why, for you and your co-leaders", [DataRequired("Please say why."), Length(max=1000)]
    )


class WordsForm(Form):
    """What a leader may change at any time."""

    title = StringField("Title", [DataRequired("Please give a title."), Length(max=120)])
    summary = TextAreaField(
        "In two sentences, for the list", [DataRequired("Please write a line."), Length(max=300)]
    )
    about = TextAreaField("More about it, for the group's own page", [Length(max=4000)])
    where = TextAreaField(
        "Where it meets: a link or an address, shown to members only",
        [Optional(), Length(max=300)],
    )

    @classmethod
    def of(cls, group: Group) -> Self:
        return cls(obj=group)

    def words(self) -> Words:
        return Words(self.title.data, self.summary.data, self.about.data, self.where.data or "")


class PriceField(DecimalField):
    """A finite number; Decimal would also read "NaN", which compares with nothing."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError("Please give a price; 0 is fine.")


class GroupForm(WordsForm):
    """A whole group. `co_lead` holds public ids; prices are typed in whole units."""

    kind = RadioField("Kind of group", [InputRequired("Please choose a kind.")])
    topics = SelectMultipleField("What it is about")
    language = SelectField("Language")
    format = SelectField("How it meets")
    seats = IntegerField(
        "Seats", [InputRequired("Please say how many."), NumberRange(2, 100, "From 2 to 100.")]
    )
    price = PriceField(
        "Price for the whole, 0 if it is free",
        [
            InputRequired("Please give a price; 0 is fine."),
            NumberRange(0, MOST_PRICE, "From 0 to 10,000."),
        ],
    )
    refund_template = RadioField(
        "What goes back to somebody who leaves",
        choices=[(template.value, words) for template, words in TEMPLATE_WORDS.items()],
        default=RefundTemplate.by_session.value,
    )
    first_day = DateField("First session", [InputRequired("Please choose the first day.")])
    at = TimeField("Begins at", [InputRequired("Please give a time, such as 18:30.")])
    zone = SelectField("On the clocks of")
    minutes = IntegerField(
        "Minutes", [InputRequired("Please say how long."), NumberRange(15, 300, "From 15 to 300.")]
    )
    sessions = IntegerField(
        "Number of weekly sessions",
        [InputRequired("Please say how many."), NumberRange(1, 52, "From 1 to 52.")],
    )
    leads_it = BooleanField("I lead it myself", default=True)
    co_lead = SelectField("Led together with", validators=[Optional()])
    peers = TextAreaField("Peer leaders, one name a line", [Optional(), Length(max=500)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = vocabulary("group_kinds").choices()
        self.topics.choices = vocabulary("concerns").choices()
        self.language.choices = vocabulary("languages").choices()
        self.format.choices = vocabulary("formats").choices()
        self.zone.choices = _zone_choices()
        self.co_lead.choices = [("", "Nobody else")]

    @classmethod
    def of_led(cls, group: Group, leader: Therapist) -> Self:
        """The group as `leader`, who changes it, sees it: the others are the co-leads."""
        return cls(data=_kept_as_is(group) | _kept_otherwise(group, leader))

    def offer(self, colleagues: list[Therapist]) -> Self:
        """Let the leader choose among these as a co-lead."""
        self.co_lead.choices = [
            ("", "Nobody else"),
            *((str(therapist.public_id), therapist.name) for therapist in colleagues),
        ]
        return self

    def validate_topics(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Please choose at least one.")
        if len(field.data) > 5:
            raise ValidationError("Please choose five at most.")

    def validate_first_day(self, field: Field) -> None:
        if abs(field.data - now().date()) > MOST_AWAY:
            raise ValidationError("Please choose a day within the next two years.")

    def validate_price(self, field: Field) -> None:
        if field.data is not None and 0 < field.data < 1:
            raise ValidationError("A price below 1 cannot be charged; 0 makes it free.")

    def validate_peers(self, field: Field) -> None:
        if len(self.peer_names()) > MOST_PEERS:
            raise ValidationError(f"At most {MOST_PEERS} names, please.")

    def validate_leads_it(self, field: Field) -> None:
        somebody = field.data or self.co_lead.data or self.peer_names()
        licensed = field.data or self.co_lead.data
        if not somebody or (self.kind.data != GroupKind.peer and not licensed):
            raise ValidationError("Somebody has to lead it; for this kind, a licensed therapist.")

    def peer_names(self) -> list[str]:
        lines = (self.peers.data or "").splitlines()
        return [line.strip()[:120] for line in lines if line.strip()]

    def terms(self, leader: Therapist, colleagues: list[Therapist]) -> Terms:
        chosen = [one for one in colleagues if str(one.public_id) == self.co_lead.data]
        return Terms(
            kind=GroupKind(self.kind.data),
            topics=list(self.topics.data),
            language=self.language.data,
            format=self.format.data,
            seats=self.seats.data,
            price=int((self.price.data * 100).to_integral_value()),
            refund_template=RefundTemplate(self.refund_template.data),
            zone=self.zone.data,
            first_day=self.first_day.data,
            at=self.at.data,
            minutes=self.minutes.data,
            sessions=self.sessions.data,
            leads=([leader] if self.leads_it.data else []) + chosen,
            peer_leaders=self.peer_names(),
        )


def _price_choices() -> list[tuple[str, str]]:
    settings = current_settings()
    steps = [(str(step), f"Up to {format_money(step, settings.currency)}") for step in PRICE_STEPS]
    return [("", "Any price"), ("0", "Free"), *steps]


def _zone_choices() -> list[tuple[str, str]]:
    zones = sorted({place.zone for place in PLACES.values()})
    return [(zone, zone.split("/", 1)[-1].replace("_", " ").replace("/", ", ")) for zone in zones]


def _kept_as_is(group: Group) -> dict[str, Any]:
    names = "title summary about where kind topics language format seats refund_template zone"
    return {name: getattr(group, name) for name in names.split()}


def _kept_otherwise(group: Group, leader: Therapist) -> dict[str, Any]:
    first = group.sessions[0]
    starts = first.starts_at.astimezone(ZoneInfo(group.zone))
    return {
        "price": Decimal(group.price) / 100,
        "first_day": starts.date(),
        "at": starts.time(),
        "minutes": int((first.ends_at - first.starts_at).total_seconds()) // 60,
        "sessions": len(group.sessions),
        "leads_it": leader in group.professionals,
        "co_lead": next((str(one.public_id) for one in group.professionals if one != leader), ""),
        "peers": "\n".join(group.peer_leaders),
    }
