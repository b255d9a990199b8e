"""How acutely unwell somebody is, 0 to 3, from the two questionnaires: the clinic's own rule.

A therapist states up to which acuity they work (`most_acuity`); beyond it they are not offered,
and a client beyond everyone is led to a person. The rule is coarse on purpose and is no diagnosis:

| acuity | PHQ-9 | GAD-7 | PHQ-9 item 9, judged on incomplete sheets too |
|---|---|---|---|
| 0 | minimal, mild | minimal, mild | not at all |
| 1 | moderate | moderate, severe | |
| 2 | moderately severe, severe | | several days |
| 3 | | | more than half the days, or several days with a severe PHQ-9 |

The highest row that fits counts. With nothing answered there is no acuity, and nobody is left out.
"""

from collections.abc import Mapping
from typing import Any

from practice.intake.answers import responses
from practice.intake.instruments import INSTRUMENTS
from practice.intake.scoring import score

MOST_ACUTE = 3
SEVERAL_DAYS = 1

OF_BAND: Mapping[str, Mapping[str, int]] = {
    "phq-9": {"minimal": 0, "mild": 0, "moderate": 1, "moderately-severe": 2, "severe": 2},
    "gad-7": {"minimal": 0, "mild": 0, "moderate": 1, "severe": 1},
}


def acuity(answers: Mapping[str, Any]) -> int | None:
    """0…3 from the answers of an intake, or None when they say nothing about it."""
    bands = {code: _band(answers, code) for code in OF_BAND}
    found = [OF_BAND[code][band] for code, band in bands.items() if band is not None]
    risk = _risk_item(answers)
    if risk is not None:
        found.append(_of_risk(risk, bands["phq-9"]))
    return max(found, default=None)


def _band(answers: Mapping[str, Any], code: str) -> str | None:
    instrument = INSTRUMENTS[code]
    return score(instrument, responses(answers, instrument)).band


def _risk_item(answers: Mapping[str, Any]) -> int | None:
    phq = INSTRUMENTS["phq-9"]
    sheet = responses(answers, phq)
    return None if phq.risk_item is None else sheet[phq.risk_item - 1]


def _of_risk(answer: int, phq_band: str | None) -> int:
    if answer == 0:
        return 0
    if answer > SEVERAL_DAYS or phq_band == "severe":
        return MOST_ACUTE
    return MOST_ACUTE - 1
