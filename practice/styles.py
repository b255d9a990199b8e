"""One stylesheet for every page: the files of static/css joined in their order, once."""

import hashlib
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, url_for

from core.access import anyone, policy

ORDER = "@layer reset, tokens, base, components, utilities;\n"
KEPT_FOR = "public, max-age=31536000, immutable"

bp = Blueprint("styles", __name__)


@bp.get("/styles/<string:name>.css")
@policy(anyone)
def sheet(name: str) -> Response:
    """The joined sheet. Its name is its hash, so that browsers may keep it for good."""
    current, css = current_app.extensions["stylesheet"]
    if name != current:
        abort(404)
    return Response(css, mimetype="text/css", headers={"Cache-Control": KEPT_FOR})


def install(app: Flask) -> None:
    css = joined(Path(app.static_folder or ""))
    name = hashlib.sha256(css.encode()).hexdigest()[:16]
    app.extensions["stylesheet"] = (name, css)
    app.register_blueprint(bp)
    app.context_processor(lambda: {"stylesheet": url_for("styles.sheet", name=name)})


def joined(static: Path) -> str:
    css = static / "css"
    parts = [css / "tokens.css", css / "base.css"]
    parts += sorted((css / "components").glob("*.css"))
    return ORDER + "\n".join(path.read_text() for path in [*parts, css / "utilities.css"])
