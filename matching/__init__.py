"""The engine: values in, ranked values and reasons out. No framework, no database, no clock."""

from matching.allocation.allocating import allocate, priority_of
from matching.allocation.arrival import by_arrival
from matching.allocation.candidates import Allocation, Candidates
from matching.allocation.stability import stable
from matching.allocation.theorems import (
    blocking_pairs,
    duality_gap,
    is_feasible,
    passed_over,
    upper_bound,
)
from matching.auditing import Audit, Placements, audit
from matching.errors import BadClient, BadRow, BadValue, BadWeights, UnknownTherapist
from matching.hours import Window, hours_in, monday_of, starts_at, weekly_bits
from matching.index import Index, explain, rank, why_not
from matching.learning.calibrating import Calibration, calibrate
from matching.learning.effects import Case, Cases, Effects, effects
from matching.market import Market
from matching.model import (
    DEFAULT_WEIGHTS,
    Client,
    Payment,
    Strength,
    Therapist,
    Vocabulary,
    Weights,
    Wish,
)
from matching.prices import Prices
from matching.reach import Reach, Reached
from matching.reasons import (
    Explanation,
    Failure,
    Finding,
    Line,
    Match,
    Ranking,
    Standing,
    WhyNot,
)
from matching.records import Record
from matching.shards.columns import Columns
from matching.shards.table import Table
from matching.showing import about_as_close, shown_total, thousandths
from matching.terms import FACTORS, LITTLE_KNOWN, NEEDED_ELSEWHERE

# Changes whenever the same inputs could give other points; stored beside every proposal.
ENGINE_VERSION = "1"

__all__ = [
    "DEFAULT_WEIGHTS",
    "ENGINE_VERSION",
    "FACTORS",
    "LITTLE_KNOWN",
    "NEEDED_ELSEWHERE",
    "Allocation",
    "Audit",
    "BadClient",
    "BadRow",
    "BadValue",
    "BadWeights",
    "Calibration",
    "Candidates",
    "Case",
    "Cases",
    "Client",
    "Columns",
    "Effects",
    "Explanation",
    "Failure",
    "Finding",
    "Index",
    "Line",
    "Market",
    "Match",
    "Payment",
    "Placements",
    "Prices",
    "Ranking",
    "Reach",
    "Reached",
    "Record",
    "Standing",
    "Strength",
    "Table",
    "Therapist",
    "UnknownTherapist",
    "Vocabulary",
    "Weights",
    "WhyNot",
    "Window",
    "Wish",
    "about_as_close",
    "allocate",
    "audit",
    "blocking_pairs",
    "by_arrival",
    "calibrate",
    "duality_gap",
    "effects",
    "explain",
    "hours_in",
    "is_feasible",
    "monday_of",
    "passed_over",
    "priority_of",
    "rank",
    "shown_total",
    "stable",
    "starts_at",
    "thousandths",
    "upper_bound",
    "weekly_bits",
    "why_not",
]
