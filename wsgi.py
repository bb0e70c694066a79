"""The WSGI entry: `granian --interface wsgi wsgi:app`, `gunicorn wsgi:app`, or `cdp serve`."""

from cdp.web.app import create_app

app = create_app()
