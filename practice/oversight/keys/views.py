"""Pages of the keys."""

from flask import flash, redirect, render_template, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from practice.accounts.policy import step_up
from practice.oversight.blueprint import Page, bp
from practice.oversight.forms import RotationForm
from practice.oversight.keys import rotation as key_rotation
from practice.oversight.policy import is_administrator


@bp.get("/oversight/keys")
@policy(is_administrator)
def keys_page() -> Page:
    return render_template("oversight/keys.html", keys=key_rotation.standing(), at=now())


@bp.get("/oversight/keys/rotation")
@policy(is_administrator)
@step_up
def rotation() -> Page:
    form = RotationForm()
    makes = key_rotation.can_make_keys()
    return render_template("oversight/rotation.html", form=form, makes_keys=makes)


@bp.post("/oversight/keys/rotation")
@policy(is_administrator)
@step_up
def rotate_keys() -> Page:
    form = RotationForm()
    new_kek = bool(form.new_kek.data) and key_rotation.can_make_keys()
    with unit_of_work() as session:
        key_rotation.ask_for_rotation(session, current_user.user, now(), new_kek=new_kek)
    flash("It has begun. Everybody can go on working meanwhile.", "leaf")
    return redirect(url_for("oversight.keys_page"), 303)
