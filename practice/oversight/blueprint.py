"""The one blueprint of oversight: the console, the ledger."""

from flask import Blueprint
from werkzeug.wrappers import Response

bp = Blueprint("oversight", __name__)

Page = Response | str | tuple[str, int]
