"""The blueprint that both groups of pages hang on."""

from flask import Blueprint
from werkzeug.wrappers import Response

bp = Blueprint("privacy", __name__)

Page = Response | str | tuple[str, int]
