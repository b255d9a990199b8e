"""Amounts are whole minor units of one currency per installation."""

SYMBOLS = {"USD": "$", "GBP": "£", "EUR": "€", "CAD": "CA$", "AUD": "A$"}


def format_money(minor: int, currency: str = "USD") -> str:
    """120000 → "$1,200", 9050 → "$90.50", 0 → "free"."""
    if minor == 0:
        return "free"
    symbol = SYMBOLS.get(currency, f"{currency} ")
    whole, cents = divmod(abs(minor), 100)
    amount = f"{whole:,}" if cents == 0 else f"{whole:,}.{cents:02d}"
    return f"{'−' if minor < 0 else ''}{symbol}{amount}"
