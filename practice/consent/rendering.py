"""From a consent's Markdown to clean HTML."""

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {"p", "h2", "h3", "ul", "ol", "li", "em", "strong", "a", "blockquote", "br", "hr"}
ATTRIBUTES = {"a": {"href"}}
SCHEMES = {"https", "mailto", "tel"}

_markdown = MarkdownIt("commonmark", {"html": False})


def rendered(body: str) -> Markup:
    """The text as HTML of a few harmless elements; its top headings are h2, the page has the h1."""
    html = _markdown.render(body).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    cleaned = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES)
    return Markup(cleaned)
