"""How a request ended, in the words of each side; and what the templates of matches name."""

from typing import Any

from practice.matches.models import RequestState
from practice.matches.reasons import ONE_SENTENCE
from practice.matches.words import number
from practice.places import PLACES
from practice.vocabularies import vocabulary

ENDINGS = {
    RequestState.declined: "You said no.",
    RequestState.lapsed: "The time ran out.",
    RequestState.withdrawn: "They withdrew it.",
    RequestState.met: "A first meeting is booked.",
    RequestState.accepted: "The time to answer has passed.",
}
OWN_ENDINGS = {
    RequestState.declined: "They cannot take you on at the moment.",
    RequestState.lapsed: "The time for it ran out.",
    RequestState.withdrawn: "You withdrew it.",
    RequestState.met: "Your first meeting is booked.",
}


def template_words() -> dict[str, Any]:
    services = vocabulary("services").terms
    return {
        "number": number,
        "ENDINGS": ENDINGS,
        "OWN_ENDINGS": OWN_ENDINGS,
        "ONE_SENTENCE": ONE_SENTENCE,
        "PLACES": PLACES,
        "SERVICES": {term.code: term.text("offer") for term in services},
    }
