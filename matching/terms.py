"""The few words the engine itself knows. Every other code means nothing to it."""

FACTORS = (
    "concerns",
    "hours",
    "approach",
    "price",
    "style",
    "language",
    "identity",
    "format",
    "record",
)
MUST = "must."
# The lines of the arithmetic that are no factor: what not knowing somebody's outcomes yet is worth,
# and what a place is worth to others.
LITTLE_KNOWN = "little_known"
NEEDED_ELSEWHERE = "needed_elsewhere"

STYLE_AXES = ("directive", "intensity", "past", "warm")

# The wish that is about how somebody works; every other wish is about who they say they are.
APPROACH = "approach"

# The two ways of paying in which the fee is not the client's to pay.
INSURANCE = "insurance"
FREE = "free"

# What somebody is by birth, belief or love may be hoped for, never demanded.
WOULD_LIKE_ONLY = frozenset({"race", "ethnicity", "faith", "orientation"})

# The most that one factor can score, and what everybody scores in one that was skipped.
FULL = 1000
NEUTRAL = 500

TOP_SKILL = 3
TOP_ACUITY = 3
STYLE_LIMIT = 3
OLDEST = 130
