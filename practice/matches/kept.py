"""What is kept of a list that was shown: what decided it, its digest, and the points of each line.

The digest is keyed and covers what decided the list, not its points. The points stand beside it,
so that a replay can be held to what was shown even when the arithmetic has changed since.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matching
from core.encryption import blind_index
from matching.prices import NO_PRICES
from practice.matches.models import Proposal

Points = dict[str, int]


def proposal_digest(
    values: matching.Client,
    shown: Iterable[matching.Therapist],
    weights: matching.Weights,
    prices: matching.Prices = NO_PRICES,
) -> str:
    """SHA-256 under a key, in hex, of everything that decided what is shown now."""
    shown = list(shown)
    return _digest(
        values.to_json(),
        [therapist.to_json() for therapist in shown],
        weights.version,
        matching.ENGINE_VERSION,
        prices_of(shown, prices),
    )


def digest_of(proposal: Proposal) -> str:
    """The same of what is kept; differs from `proposal.digest` once any of it was changed."""
    return _digest(
        proposal.client_inputs,
        proposal.shown,
        proposal.weights_version,
        proposal.engine_version,
        proposal.prices,
    )


def points_of(
    values: matching.Client,
    shown: Sequence[matching.Therapist],
    weights: matching.Weights,
    prices: matching.Prices = NO_PRICES,
) -> list[Points]:
    """By line, for each of those shown, as the page tells them. Raises BadRow."""
    index = matching.Index(shown, on=values.on)
    return [index.explain(values, one.id, weights, prices).points for one in shown]


def prices_of(shown: Iterable[matching.Therapist], prices: matching.Prices) -> Points:
    """Of those shown only: what others are worth decided nothing of this arithmetic."""
    return {one.id: prices[one.id] for one in shown if one.id in prices}


def _digest(
    client: Mapping[str, Any],
    shown: Sequence[Mapping[str, Any]],
    weights_version: int,
    engine_version: str,
    prices: Mapping[str, int],
) -> str:
    decided = {
        "client": client,
        "shown": shown,
        "weights": weights_version,
        "engine": engine_version,
        "prices": prices,
    }
    plain = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
    # Keyed: answers are few enough that a hash alone could be guessed.
    return blind_index("proposal", plain)
