"""Whether what somebody agreed to still goes on: a care may have ended, a group have met for good.

An agreement that was never taken back stands as proof of what happened. Its newer words concern
nobody any more, so nobody is asked about them. Only rooms on the right know what goes on: the roof
brings their clauses in.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app

from practice.consent.models import Purpose

# Of a signature, or an alias of one, in the query around.
Clause = Callable[[Any], sa.ColumnElement[bool]]


def connect(app: Flask, purpose: Purpose, is_over: Clause) -> None:
    """Say when what a signature with this purpose was for is over."""
    app.extensions.setdefault("consents_over", {})[purpose] = is_over


def is_over(signature: Any) -> sa.ColumnElement[bool]:
    """Of `Signature` or an alias: what was agreed to has come to its end, without being taken back.

    False for purposes that have no end but being taken back.
    """
    clauses: dict[Purpose, Clause] = current_app.extensions["consents_over"]
    over = (sa.and_(signature.purpose == one, of(signature)) for one, of in clauses.items())
    return sa.or_(sa.false(), *over)


def is_scope(scope: Any, kind: str, public_id: Any) -> sa.ColumnElement[bool]:
    """Whether a signature's scope names this row; `public_id` is a column of ids."""
    # SQLite keeps an id without its dashes, PostgreSQL casts it to a text with them.
    bare = sa.func.replace(sa.cast(public_id, sa.String), "-", "")
    return sa.func.replace(scope, "-", "") == sa.literal(f"{kind}:").concat(bare)
