"""What the engine refuses, each refusal naming the field it is about."""


class BadValue(ValueError):
    """A value that cannot be right. `field` is a dotted path such as "payment.budget"."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class BadClient(BadValue):
    """A client that cannot be read."""


class BadWeights(BadValue):
    """Weights that are not whole, are negative or do not sum to 1000."""


class BadRow(BadValue):
    """A row that cannot be used, of therapists or of a waiting list; `row` counts from 0."""

    def __init__(self, row: int, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.row = row
        self.args = (f"row {row}, {field}: {reason}",)


class UnknownTherapist(LookupError):
    """No therapist with this id is in the index."""
