"""Refusals have names. A view turns an expected one into a next step; the rest become pages."""

from dataclasses import dataclass


class Refusal(Exception):
    """Something a person may not or cannot do now. `message` is said to them as it stands."""

    message = "This cannot be done right now."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or type(self).message
        super().__init__(self.message)


class NotFound(Refusal):
    """Nothing there, or somebody else's: the two are never told apart."""

    message = "We could not find that page."


class NotAllowed(Refusal):
    message = "Your account does not open this page."


class WrongState(Refusal):
    """The thing has moved on since the page was opened."""

    message = "This has changed since you opened the page. Please look at it again."


class Away(Refusal):
    """Something that is needed for this does not answer; the rest goes on. Answered with 503."""

    heading = "This is not possible just now"


class Erased(Refusal):
    """The key of something confidential was destroyed, and with it what was sealed under it."""

    message = "This was erased."


@dataclass(frozen=True)
class ErrorPage:
    status: int
    heading: str
    text: str


ERROR_PAGES = {
    400: ErrorPage(400, "That did not come through as expected", "Please go back and try again."),
    403: ErrorPage(
        403, "This page is not open to you", "Perhaps you are signed in as someone else."
    ),
    404: ErrorPage(
        404, "We could not find that page", "It may have moved, or it is not yours to see."
    ),
    405: ErrorPage(405, "That did not come through as expected", "Please go back and try again."),
    409: ErrorPage(409, "This has changed meanwhile", "Please look at it again."),
    410: ErrorPage(410, "This was erased", "It cannot be read again, by nobody."),
    413: ErrorPage(413, "That was too large to take in", "Please shorten it and send it again."),
    429: ErrorPage(429, "Please wait a moment", "Too many tries in a short time. Nothing is lost."),
    500: ErrorPage(
        500,
        "Something went wrong on our side",
        "Please go back and try again. Nothing you had saved is lost.",
    ),
    503: ErrorPage(
        503,
        "We cannot get at our records just now",
        "Please try again in a minute. Nothing you had saved is lost.",
    ),
}

STATUS_OF_REFUSAL: dict[type[Refusal], int] = {
    NotFound: 404,
    NotAllowed: 403,
    Erased: 410,
}


def error_page_for(refusal: Refusal) -> ErrorPage:
    """The page of a refusal that no view expected; 409 unless its class says otherwise."""
    if isinstance(refusal, Away):
        return ErrorPage(503, refusal.heading, refusal.message)
    for kind, status in STATUS_OF_REFUSAL.items():
        if isinstance(refusal, kind):
            return ERROR_PAGES[status]
    return ErrorPage(409, "This cannot be done right now", refusal.message)
