"""Answers in words: for the list of answers, and wherever a client's own words are shown."""

from collections.abc import Callable, Mapping
from typing import Any

from core.money import format_money
from practice.hours import parse_window
from practice.intake.instruments import INSTRUMENTS
from practice.intake.pages import BY_KEY
from practice.places import place
from practice.vocabularies import Vocabulary, vocabulary
from practice.vocabularies.loading import Term

ZONES = {
    "America/Los_Angeles": "Pacific time (Los Angeles)",
    "America/Denver": "Mountain time (Denver)",
    "America/Boise": "Mountain time (Boise)",
    "America/Phoenix": "Mountain time without summer time (Phoenix)",
    "America/Chicago": "Central time (Chicago)",
    "America/New_York": "Eastern time (New York)",
    "America/Detroit": "Eastern time (Detroit)",
    "America/Indiana/Indianapolis": "Eastern time (Indianapolis)",
    "America/Juneau": "Alaska time (Juneau)",
    "Pacific/Honolulu": "Hawaii time (Honolulu)",
    "America/Puerto_Rico": "Atlantic time (San Juan)",
    "America/St_Thomas": "Atlantic time (Charlotte Amalie)",
    "Pacific/Guam": "Chamorro time (Guam)",
    "Pacific/Saipan": "Chamorro time (Saipan)",
    "Pacific/Pago_Pago": "Samoa time (Pago Pago)",
}
SKIPPED = "Skipped"
NO_PREFERENCE = "No preference"


def in_words(page_key: str, value: Any) -> list[str]:
    """The lines that say an answer of this page; `pages` has the shapes of the values."""
    if value is None:
        return [SKIPPED]
    if BY_KEY[page_key].instrument:
        return [_option(page_key, value)]
    return LINES[page_key](value)


def wish_names() -> dict[str, str]:
    """{name: label} of everything a wish can be about, in the order in which it is asked."""
    named = {term.code: term.label() for term in vocabulary("identities").terms}
    return {"gender": named.pop("gender"), "approach": "Approach", **named}


def wish_options(name: str) -> Vocabulary:
    """What can be wished for under this name."""
    return vocabulary("approaches") if name == "approach" else _options("identities", name)


def about_you(name: str) -> Vocabulary:
    """What can be stated about oneself under this name."""
    return _options("about_you", name)


def insurers() -> Vocabulary:
    return _options("payments", "insurance")


def language_label(code: str) -> str:
    """The language's own name, and the English one where it differs."""
    term = vocabulary("languages").term(code)
    own = term.text("own_name")
    return own if own == term.label() else f"{own} ({term.label()})"


def _options(name: str, code: str) -> Vocabulary:
    options = vocabulary(name).term(code).options
    if options is None:
        raise LookupError(f"{name}/{code} offers nothing to choose")
    return options


def _option(page_key: str, value: int) -> str:
    options = INSTRUMENTS[BY_KEY[page_key].instrument].options
    return next(option.label for option in options if option.value == value)


def _weights(value: Mapping[str, int]) -> list[str]:
    concerns, severities = vocabulary("concerns"), vocabulary("severities")
    return [
        f"{concerns.label(code)}: {severities.label(str(weight)).lower()}"
        for code, weight in value.items()
    ]


def _payment(value: Mapping[str, Any]) -> list[str]:
    lines = [vocabulary("payments").label(value["kind"])]
    if value.get("insurer"):
        lines.append(insurers().label(value["insurer"]))
    if value.get("budget") is not None:
        lines.append(f"At most {format_money(value['budget'], value['currency'])} a meeting")
    return lines


def _hours(value: Mapping[str, Any]) -> list[str]:
    windows = [parse_window(window).label for window in value["windows"]]
    return [*windows, ZONES.get(value["zone"], value["zone"])]


def _wishes(value: Mapping[str, Mapping[str, Any]]) -> list[str]:
    strengths = vocabulary("strengths")
    lines = [
        f"{name}: {', '.join(wish_options(code).labels(value[code]['want']))}"
        f" ({strengths.label(value[code]['strength']).lower()})"
        for code, name in wish_names().items()
        if code in value
    ]
    return lines or [NO_PREFERENCE]


def _style(value: Mapping[str, int]) -> list[str]:
    axes = vocabulary("style")
    lines = [_leaning(axes.term(axis), step) for axis, step in value.items()]
    return lines or [NO_PREFERENCE]


def _about_you(value: Mapping[str, list[str]]) -> list[str]:
    return [
        f"{vocabulary('about_you').label(name)}: {', '.join(about_you(name).labels(codes))}"
        for name, codes in value.items()
    ]


def _leaning(axis: Term, step: int) -> str:
    if step == 0:
        return f"{axis.label()}: in between"
    words = axis.text("low" if step < 0 else "high")
    return f"{axis.label()}: {STEPS[abs(step)]} “{words.rstrip('.')}”"


def _labels(name: str) -> Callable[[list[str]], list[str]]:
    return lambda codes: vocabulary(name).labels(codes)


STEPS = {1: "slightly", 2: "rather", 3: "strongly"}
LINES: Mapping[str, Callable[[Any], list[str]]] = {
    "story": lambda text: [line for line in text.splitlines() if line.strip()],
    "concerns": _labels("concerns"),
    "concern-weights": _weights,
    "place": lambda code: [place(code).name],
    "birth-year": lambda year: [str(year)],
    "languages": lambda codes: [language_label(code) for code in codes],
    "service": lambda code: [vocabulary("services").label(code)],
    "format": _labels("formats"),
    "payment": _payment,
    "hours": _hours,
    "wishes": _wishes,
    "style": _style,
    "about-you": _about_you,
}
