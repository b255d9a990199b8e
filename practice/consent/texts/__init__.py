"""The texts that come with the product: version 1 of each consent, in Markdown.

The first line is the title. They are templates: an organisation's counsel reviews them before use.
"""

from importlib.resources import files

from practice.consent.models import Purpose


def shipped(purpose: Purpose) -> tuple[str, str]:
    """Title and body of the text that comes with the product."""
    source = files(__name__).joinpath(f"{purpose.value}.md")
    first, _, body = source.read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("# ").strip(), body.strip() + "\n"
