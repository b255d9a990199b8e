"""Test cards. Numbers and outcomes: Stripe, "Test card numbers". No other number is taken in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """`code` and `decline_code` are what the issuer answers; both None when it pays."""

    number: str
    brand: str
    label: str
    code: str | None = None
    decline_code: str | None = None

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(self.number[start : start + 4] for start in range(0, 16, 4))


PAYS = Card("4242424242424242", "visa", "pays")
DECLINED = Card(
    "4000000000000002", "visa", "is declined by the bank", "card_declined", "generic_decline"
)
NO_FUNDS = Card(
    "4000000000009995", "visa", "has too little money", "card_declined", "insufficient_funds"
)
EXPIRED = Card("4000000000000069", "visa", "has expired", "expired_card")
WRONG_CVC = Card("4000000000000127", "visa", "has a wrong security code", "incorrect_cvc")
BANK_FAULT = Card("4000000000000119", "visa", "meets a fault at the bank", "processing_error")

CARDS = {card.number: card for card in (PAYS, DECLINED, NO_FUNDS, EXPIRED, WRONG_CVC, BANK_FAULT)}
ON_THE_PAGE = (PAYS, DECLINED, NO_FUNDS)

TOKENS = {
    "visa": PAYS,
    "visa_chargeDeclined": DECLINED,
    "chargeDeclined": DECLINED,
    "chargeDeclinedInsufficientFunds": NO_FUNDS,
    "visa_chargeDeclinedInsufficientFunds": NO_FUNDS,
    "chargeDeclinedExpiredCard": EXPIRED,
    "visa_chargeDeclinedExpiredCard": EXPIRED,
    "chargeDeclinedIncorrectCvc": WRONG_CVC,
    "visa_chargeDeclinedIncorrectCvc": WRONG_CVC,
    "chargeDeclinedProcessingError": BANK_FAULT,
    "visa_chargeDeclinedProcessingError": BANK_FAULT,
}

SAID_OF_A_DECLINE = {
    "generic_decline": "The bank declined this card.",
    "insufficient_funds": "There is not enough money on this card.",
    "expired_card": "This card has expired.",
    "incorrect_cvc": "The security code does not match this card.",
    "processing_error": "The bank could not answer just now.",
}


def card_named(token: str, prefix: str) -> Card | None:
    """The card behind `pm_card_visa` or `tok_visa`; None when there is none."""
    return TOKENS.get(token.removeprefix(prefix)) if token.startswith(prefix) else None


def decline_message(card: Card) -> str:
    return SAID_OF_A_DECLINE[card.decline_code or card.code or "generic_decline"]
