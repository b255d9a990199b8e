"""The one blueprint of care: the caseload, closing notes, the custodian's records, emergencies."""

from flask import Blueprint

bp = Blueprint("care", __name__)
