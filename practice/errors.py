"""Errors become one kind page. It never shows what the error was about."""

import errno

from flask import Flask, g, render_template
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from core.database import db
from core.errors import ERROR_PAGES, ErrorPage, Refusal, error_page_for
from core.keeping import MissingKey
from core.logs import log, where
from core.request_ids import request_id
from core.sealing import Unreadable

CSRF_PAGE = ErrorPage(
    400,
    "This page was open for too long",
    "Please go back, reload the page and send it again. What you typed should still be there.",
)
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def install(app: Flask) -> None:
    app.register_error_handler(Refusal, lambda refusal: _render(error_page_for(refusal)))
    app.register_error_handler(CSRFError, lambda _error: _render(CSRF_PAGE))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> object:
    if error.code is None or error.code < 400:
        return error.get_response()
    return _render(ERROR_PAGES.get(error.code, ERROR_PAGES[400 if error.code < 500 else 500]))


def _unexpected(error: Exception) -> object:
    log("request.failed", error=type(error), where=where(error))
    return _render(ERROR_PAGES[503 if _passes(error) else 500])


def _passes(error: Exception) -> bool:
    """Whether it is likely to be gone in a minute: the database away or busy, a disk full."""
    is_full = isinstance(error, OSError) and error.errno in NO_ROOM
    return is_full or isinstance(error, OperationalError | InterfaceError | PoolTimeout)


def _render(page: ErrorPage) -> tuple[str, int, dict[str, str]]:
    try:
        db.session.rollback()
        return _answer(page)
    except (SQLAlchemyError, Unreadable, MissingKey):
        # The frame asks who is signed in; without a database (or with a name in it that was
        # tampered with) help is shown to a visitor.
        g._login_user = AnonymousUserMixin()
        return _answer(page)


def _answer(page: ErrorPage) -> tuple[str, int, dict[str, str]]:
    headers = {"Retry-After": "60"} if page.status == 503 else {}
    words = render_template("errors/error.html", page=page, reference=request_id())
    return words, page.status, headers
