"""The records custodian's page of what stays although it was to go: numbers, kinds and days."""

from flask import render_template, url_for
from flask_login import current_user

from core.access import policy
from core.config import current_settings
from core.database import unit_of_work
from practice.accounts.models import Role
from practice.accounts.readings import viewed
from practice.care.policy import is_custodian
from practice.paging import page_number
from practice.privacy import kept as reads
from practice.privacy.views.blueprint import Page, bp


@bp.get("/records/kept")
@policy(is_custodian)
def kept() -> Page:
    """No row in the log, no page: also a number says that somebody was here."""
    with unit_of_work() as session:
        leaf = reads.kept_lines(session, current_user.user, page_number())
        holds = reads.holds(session, current_user.user)
        clients = {line.client for line in leaf.rows} | {hold.client for hold in holds}
        if clients:
            me, role = current_user.public_id, Role.records_custodian
            viewed(session, "kept_records.viewed", "user", me, clients, role)
        kinds = reads.kinds_kept(session, current_user.user)
    return render_template(
        "privacy/kept.html",
        leaf=leaf,
        holds=holds,
        kinds=kinds,
        address=lambda number: url_for("privacy.kept", page=number),
        zone=current_settings().zone,
    )
