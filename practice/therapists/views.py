"""Pages of therapists."""

from flask import Blueprint

bp = Blueprint("therapists", __name__)
