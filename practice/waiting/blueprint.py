"""The blueprint that the client's and the lead's pages of the waiting list register on."""

from flask import Blueprint

bp = Blueprint("waiting", __name__)
