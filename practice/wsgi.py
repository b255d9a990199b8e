"""What the web server loads: `gunicorn practice.wsgi:app`."""

from practice.app import create_app

app = create_app()
