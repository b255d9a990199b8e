"""Errors become one kind page. It never shows what the error was about."""

from flask import Flask, g, render_template
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from core.database import db
from core.errors import ERROR_PAGES, ErrorPage, Refusal, error_page_for
from core.logs import log, where

CSRF_PAGE = ErrorPage(
    400,
    "This page was open for too long",
    "Please go back, reload the page and send it again. What you typed should still be there.",
)


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
    log("request.failed", error=type(error).__name__, where=where(error))
    return _render(ERROR_PAGES[503 if isinstance(error, OperationalError) else 500])


def _render(page: ErrorPage) -> tuple[str, int]:
    try:
        db.session.rollback()
        return render_template("errors/error.html", page=page), page.status
    except SQLAlchemyError:
        # The frame asks who is signed in; without a database help is shown to a visitor.
        g._login_user = AnonymousUserMixin()
        return render_template("errors/error.html", page=page), page.status
