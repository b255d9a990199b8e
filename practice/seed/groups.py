"""Invented groups with their leaders and sessions."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from practice.groups.models import (
    Group,
    GroupKind,
    GroupLead,
    GroupSession,
    GroupState,
    LeadKind,
    RefundTemplate,
)
from practice.local_time import instant_at
from practice.seed.people import Names
from practice.therapists.models import Therapist


@dataclass(frozen=True)
class Plan:
    """A group as it is announced. `days` is the distance to the first evening."""

    title: str
    summary: str
    kind: GroupKind
    topics: tuple[str, ...]
    price: int
    seats: int = 10
    sessions: int = 8
    minutes: int = 75
    days: int = 12
    at: time = time(18, 30)


THERAPY, LEARNING, PEER = GroupKind.therapy, GroupKind.psychoeducation, GroupKind.peer

PLANS = (
    Plan(
        "Breathing room: living with panic",
        "Eight evenings with up to ten people who know what it is like. We practise together, and "
        "nobody has to speak on the first night.",
        LEARNING,
        ("panic", "anxiety"),
        24000,
        days=10,
    ),
    Plan(
        "After the funeral",
        "For people who lost someone in the last two years. We talk, we remember, we are quiet.",
        THERAPY,
        ("grief",),
        32000,
        seats=8,
        days=9,
    ),
    Plan(
        "Sleep again",
        "Six evenings on what keeps people awake and what is known to help.",
        LEARNING,
        ("sleep", "stress"),
        15000,
        seats=12,
        sessions=6,
        days=3,
    ),
    Plan(
        "New parents, honest hour",
        "Led by parents who found it hard too. Babies are welcome and may be loud.",
        PEER,
        ("perinatal", "parenting"),
        0,
        seats=12,
        days=5,
        at=time(10),
    ),
    Plan(
        "Sober evenings",
        "A weekly hour for people who drink less or not at all, led by people who stopped.",
        PEER,
        ("alcohol", "recovery"),
        0,
        seats=15,
        sessions=12,
        minutes=60,
        days=2,
        at=time(20),
    ),
    Plan(
        "Between two languages",
        "On living here with family there, in English and whatever else helps.",
        PEER,
        ("culture", "loneliness"),
        1000,
        seats=10,
        days=14,
    ),
    Plan(
        "Skills for strong feelings",
        "Twelve meetings on riding out waves of feeling without making things worse.",
        THERAPY,
        ("anger", "mood-swings"),
        48000,
        seats=8,
        sessions=12,
        minutes=90,
        days=18,
    ),
    Plan(
        "Low mood, small steps",
        "Seven evenings on doing a little more of what matters, even without feeling like it.",
        LEARNING,
        ("depression",),
        17500,
        seats=12,
        sessions=7,
        days=16,
    ),
    Plan(
        "When a body will not cooperate",
        "Living with pain or a long illness, among people who do not need it explained.",
        PEER,
        ("chronic-pain", "chronic-illness"),
        0,
        seats=12,
        days=7,
        at=time(12),
    ),
    Plan(
        "Old wounds, careful company",
        "A trauma group that begins with safety and goes no faster than its slowest member.",
        THERAPY,
        ("trauma", "childhood-trauma"),
        56000,
        seats=6,
        sessions=14,
        minutes=90,
        days=21,
    ),
    Plan(
        "The last seat: worry by the hour",
        "Four mornings on putting worry in its place. A small group, nearly full.",
        LEARNING,
        ("worry", "anxiety"),
        8000,
        seats=3,
        sessions=4,
        days=6,
        at=time(9),
    ),
    Plan(
        "Fully booked: mindful Mondays",
        "A quiet hour to practise attention. This round is full; the next one follows.",
        LEARNING,
        ("stress",),
        6000,
        seats=2,
        sessions=6,
        days=8,
    ),
    Plan(
        "Caring for someone, caring for me",
        "For people who look after a parent, a partner or a child. Come as you are.",
        PEER,
        ("caregiving", "burnout"),
        0,
        seats=14,
        days=11,
        at=time(19),
    ),
    Plan(
        "Starting over after a break-up",
        "Eight meetings on sadness, anger, money and the first weekend alone.",
        THERAPY,
        ("break-up", "life-change"),
        28000,
        seats=9,
        days=13,
    ),
)

NEARLY_FULL, FULL = "The last seat: worry by the hour", "Fully booked: mindful Mondays"


@dataclass
class GroupMaker:
    session: Session
    chance: Random
    at: datetime

    def __post_init__(self) -> None:
        self.names = Names(Random(self.chance.random()))

    def make(self, count: int, leaders: list[Therapist]) -> list[Group]:
        """Add `count` groups led by `leaders`, taken in turn; plans repeat with a number."""
        groups = [self._one(number, leaders[number % len(leaders)]) for number in range(count)]
        self.session.flush()
        return groups

    def _one(self, number: int, leader: Therapist) -> Group:
        plan = PLANS[number % len(PLANS)]
        again = number // len(PLANS)
        sessions = self._sessions(plan, leader.zone, again)
        group = Group(
            title=f"{plan.title}, {again + 1}" if again else plan.title,
            summary=plan.summary,
            about="We begin and end on time. You may come, listen and go; you may also talk.",
            kind=plan.kind,
            topics=list(plan.topics),
            where="https://meet.attune.example/room",
            seats=plan.seats,
            price=plan.price,
            refund_template=RefundTemplate.by_session,
            zone=leader.zone,
            starts_at=sessions[0].starts_at,
            state=GroupState.open,
            created_by_id=leader.user_id,
            created_at=self.at - timedelta(days=20),
            leads=self._leads(plan, leader),
            sessions=sessions,
        )
        self.session.add(group)
        return group

    def _leads(self, plan: Plan, leader: Therapist) -> list[GroupLead]:
        if plan.kind is GroupKind.peer:
            return [GroupLead(kind=LeadKind.lived_experience, name=self.names.next()[0])]
        return [GroupLead(kind=LeadKind.professional, therapist=leader, name=leader.name)]

    def _sessions(self, plan: Plan, zone: str, again: int) -> list[GroupSession]:
        """Weekly at the same wall time, whatever the clocks do in between."""
        here = self.at.astimezone(ZoneInfo(zone)).date()
        first = here + timedelta(days=plan.days + 7 * (again % 8))
        starts = [
            instant_at(first + timedelta(weeks=week), plan.at, zone)
            for week in range(plan.sessions)
        ]
        return [
            GroupSession(
                number=number, starts_at=start, ends_at=start + timedelta(minutes=plan.minutes)
            )
            for number, start in enumerate(starts, 1)
        ]
