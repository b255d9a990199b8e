"""The one blueprint of the intake's pages and of the flags' pages."""

from flask import Blueprint

bp = Blueprint("intake", __name__)
