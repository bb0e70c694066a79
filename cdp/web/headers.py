"""Headers of every answer: nothing is sniffed, framed, cached, referred or loaded from another host."""

from flask import Flask, Response

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def register(app: Flask, secure: bool) -> None:
    """Set the headers on every response; `secure` says that others reach us by https."""

    @app.after_request
    def _set(response: Response) -> Response:
        page = response.mimetype == "text/html"
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["X-Robots-Tag"] = "noindex"
        headers["Content-Security-Policy"] = PAGE_POLICY if page else API_POLICY
        if page:
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        headers.setdefault("Cache-Control", "no-store")
        return response
