"""Random small worlds in which every rule bites, every edge is met and every answer is skipped."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from matching import Client, Index, Payment, Record, Strength, Therapist, Window, Wish, weekly_bits

ON = date(2026, 12, 1)

PLACES = ("US-WA", "US-OR", "US-CA")
ZONES = ("America/Los_Angeles", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
CONCERNS = ("panic", "grief", "sleep", "anger", "work", "trauma", "pain")
DOMAINS = ("worry", "mood", "loss")
APPROACHES = ("cbt", "act", "emdr", "ipt")
LANGUAGES = ("en", "es", "vi", "asl")
SERVICES = ("individual", "couple", "family")
FORMATS = ("online", "in-person", "telephone")
KINDS = ("self-pay", "sliding", "free", "insurance")
INSURERS = ("medicaid", "medicare", "commercial")
CURRENCIES = ("USD", "USD", "USD", "CAD", None)
AXES = ("directive", "intensity", "past", "warm")
IDENTITIES = {
    "gender": ("woman", "man", "non-binary"),
    "faith": ("muslim", "none"),
    "trans": ("transgender",),
}
MONEY = (0, 4000, 6000, 8000, 10000, 12000, 15001)


def an_id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def make_therapist(number: int = 1, **overrides: Any) -> Therapist:
    """Somebody whom `make_client()` meets in everything."""
    values: dict[str, Any] = {
        "id": str(UUID(int=number)),
        "authority": {"US-WA": date(2027, 6, 30)},
        "capacity": 2,
        "services": frozenset({"individual"}),
        "acuity_max": 2,
        "languages": frozenset({"en", "es"}),
        "formats": frozenset({"online"}),
        "payments": frozenset({"self-pay"}),
        "fee": 9000,
        "currency": "USD",
        "hours": weekly_bits(["tue 17:00-20:00"], "America/Los_Angeles", ON),
        "concerns": {"panic": 3, "grief": 2},
        "approaches": frozenset({"cbt"}),
        "style": {"directive": 1.5, "warm": 2},
        "identities": {"gender": frozenset({"woman"})},
    }
    return Therapist(**values | overrides)


def make_client(**overrides: Any) -> Client:
    values: dict[str, Any] = {
        "place": "US-WA",
        "on": ON,
        "zone": "America/Los_Angeles",
        "birth_year": 1990,
        "service": "individual",
        "formats": frozenset({"online"}),
        "languages": frozenset({"en"}),
        "concerns": {"panic": 3, "grief": 1},
        "acuity": 1,
        "payment": Payment("self-pay", budget=10000, currency="USD"),
        "windows": (Window.parse("tue 18:00-21:00"),),
        "style": {"directive": 1.5},
        "wishes": {
            "gender": Wish(frozenset({"woman"})),
            "approach": Wish(frozenset({"cbt"}), Strength.must_have),
        },
    }
    return Client(**values | overrides)


def index_of(*therapists: Therapist) -> Index:
    return Index(therapists, on=ON)


def random_therapists(random: Random, count: int) -> list[Therapist]:
    return [random_therapist(random) for _ in range(count)]


def random_therapist(random: Random) -> Therapist:
    fee = random.choice((*MONEY, None))
    youngest = random.choice((0, 13, 18, 18, 25))
    return Therapist(
        id=an_id(random),
        live=random.random() < 0.9,
        authority={place: _last_day(random) for place in _some(random, PLACES)},
        capacity=random.choice((0, 1, 2, 5)),
        ages=(youngest, random.choice((None, None, 36, 65))),
        services=_some(random, SERVICES),
        acuity_max=random.randint(0, 3),
        languages=_some(random, LANGUAGES),
        formats=_some(random, FORMATS),
        payments=_some(random, KINDS),
        insurers=_some(random, INSURERS),
        fee=fee,
        sliding_from=None if fee is None or random.random() < 0.5 else random.randint(0, fee),
        currency=random.choice(CURRENCIES),
        hours=weekly_bits(random_windows(random, 8), random.choice(ZONES), ON),
        concerns={code: random.randint(1, 3) for code in _some(random, CONCERNS)},
        approaches=_some(random, APPROACHES),
        style={axis: _place_on_axis(random) for axis in _some(random, AXES)},
        identities=_published(random),
        record={} if random.random() < 0.4 else _random_record(random),
    )


def _random_record(random: Random) -> dict[str, Record]:
    """Of the few who are known in no domain many have the same; the bonus is never nothing."""
    if random.random() < 0.5:
        return dict.fromkeys(DOMAINS, Record(500, random.choice((110, 120))))
    return {domain: _record(random) for domain in _some(random, DOMAINS)}


def _record(random: Random) -> Record:
    score = random.choice((0, 500, 999, random.randint(0, 999)))
    return Record(score, random.choice((1, 1000 - score, random.randint(1, 1000 - score))))


def random_client(random: Random, known: Iterable[Therapist] = ()) -> Client:
    """`known`: therapists some of whom the client may not want to see."""
    ids = [each.id for each in known]
    return Client(
        place=random.choice((*PLACES, "US-HI")),
        on=ON,
        zone=random.choice(ZONES),
        birth_year=random.choice((None, 1990, 2001, 2008, 1955)),
        service=random.choice((None, *SERVICES)),
        formats=_asked(random, FORMATS),
        languages=_asked(random, LANGUAGES),
        concerns={code: random.randint(1, 3) for code in _asked(random, CONCERNS)},
        domain=random.choice((None, "elsewhere", *DOMAINS)),
        acuity=random.choice((None, 0, 1, 2, 3)),
        payment=_payment(random),
        windows=_whole_windows(random) if random.random() < 0.6 else (),
        style={axis: _place_on_axis(random) for axis in _asked(random, AXES)},
        wishes=_wishes(random),
        exclude=frozenset(random.sample(ids, min(3, len(ids)))),
    )


def easy_client(random: Random) -> Client:
    """Somebody who skipped most questions, so that many therapists remain."""
    client, plain = random_client(random), Client(place="US-WA", on=ON)
    questions = [field.name for field in fields(Client) if field.name not in ("place", "zone")]
    skipped = {name: getattr(plain, name) for name in questions if random.random() < 0.7}
    return replace(client, place="US-WA", **skipped)


def random_windows(random: Random, most: int) -> tuple[Window, ...]:
    return tuple(_window(random) for _ in range(random.randint(0, most)))


def _window(random: Random) -> Window:
    starts, ends = sorted(random.sample(range(0, 24 * 60 + 1, 15), 2))
    return Window(random.randrange(7), starts, ends)


def _whole_windows(random: Random) -> tuple[Window, ...]:
    """Windows of three hours or more, which hold a whole hour in any zone."""
    starts = (random.randrange(0, 21) for _ in range(random.randint(1, 4)))
    return tuple(Window(random.randrange(7), 60 * hour, 60 * hour + 180) for hour in starts)


def _last_day(random: Random) -> date:
    return ON + timedelta(days=random.choice((-1, 0, 1, 300)))


def _some(random: Random, codes: Iterable[str]) -> frozenset[str]:
    return frozenset(code for code in codes if random.random() < 0.6)


def _asked(random: Random, codes: Iterable[str]) -> frozenset[str]:
    return frozenset() if random.random() < 0.4 else _some(random, codes)


def _place_on_axis(random: Random) -> float:
    return random.choice((random.randint(-6, 6) / 2, round(random.uniform(-3, 3), 3)))


def _published(random: Random) -> Mapping[str, frozenset[str]]:
    return {name: _some(random, codes) for name, codes in IDENTITIES.items()}


def _payment(random: Random) -> Payment | None:
    kind = random.choice((None, *KINDS))
    if kind is None:
        return None
    insurer = random.choice((None, *INSURERS)) if kind == "insurance" else None
    return Payment(kind, insurer, random.choice((None, *MONEY)), random.choice(CURRENCIES))


def _wishes(random: Random) -> dict[str, Wish]:
    offered = {"approach": APPROACHES, **IDENTITIES, "nowhere": ("no-such-code",)}
    names = [name for name in offered if random.random() < 0.25]
    return {name: _wish(random, name, offered[name]) for name in names}


def _wish(random: Random, name: str, codes: tuple[str, ...]) -> Wish:
    want = frozenset(random.sample(codes, random.randint(1, len(codes))))
    strengths = [each for each in Strength if name != "faith" or each != Strength.must_have]
    return Wish(want, random.choice(strengths))
