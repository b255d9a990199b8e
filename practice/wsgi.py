"""What the web server loads: `gunicorn practice.wsgi:app`."""

from core.logs import write_to_stderr
from practice.app import create_app

write_to_stderr()
app = create_app()
