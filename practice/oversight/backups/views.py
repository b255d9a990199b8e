"""Pages of the backups. Restoring is done at the machine, with Attune stopped."""

from flask import flash, redirect, render_template, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.policy import step_up
from practice.oversight.backups import operations as backups
from practice.oversight.backups.queries import standing
from practice.oversight.blueprint import Page, bp
from practice.oversight.policy import is_administrator


@bp.get("/oversight/backups")
@policy(is_administrator)
def backups_page() -> Page:
    return render_template("oversight/backups.html", backups=standing(), at=now())


@bp.get("/oversight/backups/new")
@policy(is_administrator)
@step_up
def new_backup() -> Page:
    settings = current_settings()
    if settings.backup_dir is None:
        raise NotFound
    return render_template("oversight/new_backup.html", keep=settings.backup_keep)


@bp.post("/oversight/backups")
@policy(is_administrator)
@step_up
def back_up() -> Page:
    try:
        with unit_of_work() as session:
            backups.ask_for_backup(session, current_user.user, now())
    except backups.NowhereToGo:
        raise NotFound from None
    flash("The backup has begun. It appears on this page when it is whole.", "leaf")
    return redirect(url_for("oversight.backups_page"), 303)
