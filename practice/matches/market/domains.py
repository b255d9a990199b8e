"""The broad headings under which concerns stand: what a track record is counted by."""

from collections.abc import Mapping

from practice.vocabularies import vocabulary

DOMAINS = tuple(heading.code for heading in vocabulary("concerns").headings)


def domains_of(concerns: Mapping[str, int]) -> dict[str, int]:
    """Heading → the severities of its concerns, summed, in the order of the vocabulary."""
    terms = vocabulary("concerns")
    found: dict[str, int] = {}
    for code, severity in concerns.items():
        group = terms.term(code).group
        if group is not None:
            found[group] = found.get(group, 0) + severity
    return {domain: found[domain] for domain in DOMAINS if domain in found}


def main_domain(concerns: Mapping[str, int]) -> str | None:
    """The heading that weighs most; of equals the first in the vocabulary. None without any."""
    domains = domains_of(concerns)
    return max(domains, key=domains.__getitem__, default=None)


def domain_labels() -> dict[str, str]:
    return {heading.code: heading.label() for heading in vocabulary("concerns").headings}
