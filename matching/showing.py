"""From exact points to the figures on a page, which must still add up."""

from collections.abc import Mapping

A_THOUSANDTH = 1000
NEAR_TIE = 20 * A_THOUSANDTH


def thousandths(points: Mapping[str, int]) -> dict[str, int]:
    """Points in whole thousandths of a full match, which sum to `shown_total` of their sum.

    Largest remainder (Hamilton's method): each is rounded down, then those who lost most get one
    more; of equals, the first.
    """
    shown = {factor: each // A_THOUSANDTH for factor, each in points.items()}
    missing = shown_total(sum(points.values())) - sum(shown.values())
    by_loss = sorted(points, key=lambda factor: -(points[factor] % A_THOUSANDTH))
    return {factor: each + (factor in by_loss[:missing]) for factor, each in shown.items()}


def shown_total(total: int) -> int:
    """A total in whole thousandths, halves rounded up."""
    return (total + A_THOUSANDTH // 2) // A_THOUSANDTH


def about_as_close(one: int, other: int) -> bool:
    """Whether two totals lie within 20 thousandths, too near to call one of them closer."""
    return abs(one - other) <= NEAR_TIE
