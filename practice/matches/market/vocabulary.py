"""The codes that the engine may be asked about, from the vocabularies people choose from."""

from collections.abc import Mapping

import matching
from practice.matches.market.domains import DOMAINS
from practice.vocabularies import vocabulary


def engine_vocabulary() -> matching.Vocabulary:
    payments = vocabulary("payments")
    plans = payments.term("insurance").options
    return matching.Vocabulary(
        concerns=_codes("concerns"),
        domains=frozenset(DOMAINS),
        approaches=_codes("approaches"),
        languages=_codes("languages"),
        services=_codes("services"),
        formats=_codes("formats"),
        payments=_codes("payments"),
        insurers=frozenset(plans.codes if plans else ()),
        identities=_identities(),
    )


def _codes(name: str) -> frozenset[str]:
    return frozenset(vocabulary(name).codes)


def _identities() -> Mapping[str, frozenset[str]]:
    return {
        term.code: frozenset(term.options.codes if term.options else ())
        for term in vocabulary("identities").terms
    }
