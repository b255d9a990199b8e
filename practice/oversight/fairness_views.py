"""The page of the audit of fairness, for the clinical lead."""

from flask import flash, redirect, render_template, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from matching.auditing import FEWEST_PEOPLE
from practice.oversight import fairness as audits
from practice.oversight.blueprint import Page, bp
from practice.oversight.fairness_words import told
from practice.oversight.policy import is_clinical_lead


@bp.get("/oversight/fairness")
@policy(is_clinical_lead)
def fairness() -> Page:
    standing = audits.standing()
    report = standing.report
    return render_template(
        "oversight/fairness.html",
        report=report,
        told=told(audits.comparisons_of(report)) if report else None,
        tested=report.figures["tested"] if report else 0,
        is_being_counted=standing.is_being_counted,
        fewest=FEWEST_PEOPLE,
    )


@bp.post("/oversight/fairness/count")
@policy(is_clinical_lead)
def count_fairness() -> Page:
    with unit_of_work() as session:
        audits.ask_for_count(session, current_user.user, now())
    flash("The count has begun. Its result appears on this page.", "leaf")
    return redirect(url_for("oversight.fairness"), 303)
