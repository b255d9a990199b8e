"""The blueprint that both kinds of pages about matches register on."""

from flask import Blueprint

from practice.matches.endings import template_words

bp = Blueprint("matches", __name__)
bp.context_processor(template_words)
