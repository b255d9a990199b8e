"""What everyone can see: the catalogue and the page of a group."""

import uuid
from dataclasses import fields
from typing import Any

from flask import render_template, request, url_for
from flask_login import current_user

from core.access import policy
from core.clock import now
from core.errors import NotFound
from practice.accounts.models import Client, User
from practice.accounts.policy import anyone
from practice.groups import queries
from practice.groups.forms import FilterForm
from practice.groups.models import Group
from practice.groups.operations import has_lead_in
from practice.groups.presenting import statement_words
from practice.groups.queries import Filters
from practice.groups.refunds import refund_table
from practice.groups.views.blueprint import bp
from practice.paging import page_number
from practice.therapists.queries import licence_evidence

FILTERS = tuple(field.name for field in fields(Filters))


@bp.get("/groups")
@policy(anyone)
def catalogue() -> str:
    form = FilterForm(request.args)
    filters = form.filters()
    page = queries.catalogue(filters, page_number(), now())
    return render_template(
        "groups/catalogue.html",
        form=form,
        filters=filters,
        page=page,
        zone=zone_of_viewer(),
        address=_address_of_page,
    )


@bp.get("/groups/<uuid:group>")
@policy(anyone)
def show(group: uuid.UUID) -> str:
    found = queries.shown(group, _viewer(), now())
    if found is None:
        raise NotFound
    return render_template(
        "groups/show.html",
        group=found.group,
        zone=found.client.zone if found.client else found.group.zone,
        left=found.left,
        joinable=found.group.takes_people(now()),
        only_looks=_viewer() is not None and found.client is None,
        mine=found.mine,
        led_where_i_am=_led_where_they_are(found),
        **page_of(found.group),
    )


def announced(group: uuid.UUID) -> Group:
    """The group, if this visitor may see it; raises NotFound."""
    found = queries.group_to_show(group, _viewer())
    if found is None:
        raise NotFound
    return found


def page_of(group: Group) -> dict[str, object]:
    """What every page about a group says: leaders with evidence, and the refund rule in money."""
    starts = [meeting.starts_at for meeting in group.sessions]
    return {
        "evidence": licence_evidence([lead.id for lead in group.professionals], now()),
        "steps": refund_table(group.refund_template, group.price, starts),
        "statement": statement_words(),
    }


def _led_where_they_are(found: queries.Shown) -> bool:
    """Unknown places count as led: the question comes with the seat."""
    place = found.client.place if found.client else ""
    return not place or has_lead_in(found.group, place, now())


def zone_of_viewer() -> str | None:
    """The zone of the client who is signed in; None shows each group on its own clock."""
    client = _client()
    return client.zone if client else None


def _viewer() -> User | None:
    return current_user.user if current_user.is_authenticated else None


def _client() -> Client | None:
    viewer = _viewer()
    return viewer.client if viewer is not None else None


def _address_of_page(number: int) -> str:
    kept: dict[str, Any] = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    return url_for("groups.catalogue", **kept, page=number)
