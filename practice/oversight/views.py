"""Pages of oversight."""

from flask import Blueprint

bp = Blueprint("oversight", __name__)
