"""What is kept of what was shown: what decided it, its digest, and the points of each line.

The digest is keyed and covers what decided the list, not its points. The points stand beside it,
so that a replay can be held to what was shown even when the arithmetic has changed since.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matching
from core.encryption import blind_index
from matching.prices import NO_PRICES
from practice.matches.models import Proposal, ProposalKind

Points = dict[str, int]


@dataclass(frozen=True)
class ShownAs:
    """Where it was shown, and the place in the whole list that was told with it, from 1."""

    kind: ProposalKind
    place_told: int | None = None


A_LIST = ShownAs(ProposalKind.matches)


def proposal_digest(
    values: matching.Client,
    shown: Iterable[matching.Therapist],
    weights: matching.Weights,
    prices: matching.Prices = NO_PRICES,
    shown_as: ShownAs = A_LIST,
) -> str:
    """SHA-256 under a key, in hex, of everything that decided what is shown now."""
    shown = list(shown)
    return _digest(
        values.to_json(),
        [therapist.to_json() for therapist in shown],
        weights.version,
        matching.ENGINE_VERSION,
        prices_of(shown, prices),
        shown_as,
    )


def digest_of(proposal: Proposal) -> str:
    """The same of what is kept; differs from `proposal.digest` once any of it was changed."""
    return _digest(
        proposal.client_inputs,
        proposal.shown,
        proposal.weights_version,
        proposal.engine_version,
        proposal.prices,
        ShownAs(proposal.kind, proposal.place_told),
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
    shown_as: ShownAs,
) -> str:
    decided: dict[str, Any] = {
        "client": client,
        "shown": shown,
        "weights": weights_version,
        "engine": engine_version,
        "prices": prices,
    }
    # Lists were kept before there was anything else, and keep the digest that they have.
    if shown_as != A_LIST:
        decided |= {"kind": shown_as.kind, "place_told": shown_as.place_told}
    plain = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
    # Keyed: answers are few enough that a hash alone could be guessed.
    return blind_index("proposal", plain)
