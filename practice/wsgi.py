"""What the web server loads: `gunicorn practice.wsgi:app`. Each of its processes loads it anew."""

from core.logs import write_to_stderr
from practice.app import create_app
from practice.matches.market.warming import warm_up

write_to_stderr()
app = create_app()
warm_up(app)
