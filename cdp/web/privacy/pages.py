"""Unsubscribe (RFC 8058) and double opt-in: GET shows a button and changes nothing, POST acts.

Neither asks for a cookie, a login or a token of ours: whoever holds the link holds the mailbox. Mail
scanners follow links with GET, so that a GET that acted would unsubscribe, or consent, for people.
"""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from cdp import consent, gate
from cdp.errors import Problem
from cdp.web import current
from cdp.web.privacy.texts import LANGUAGES, PAGES

blueprint = Blueprint("privacy", __name__)

LONGEST_TOKEN = 1024


@blueprint.get("/privacy")
def privacy() -> Response:
    """Say how to exercise rights, and with whom; messages link here as `preferences`."""
    return _page("privacy", contact=True)


@blueprint.get("/privacy/unsubscribe/<token>")
def unsubscribe_page(token: str) -> Response:
    """Show the button."""
    try:
        with current.database().snapshot() as session:
            _, _, brand = consent.read_unsubscribe_token(session, _bounded(token))
    except Problem:
        return _page("unknown_link", 404, contact=True)
    return _page("unsubscribe", brand=brand)


@blueprint.post("/privacy/unsubscribe/<token>")
def unsubscribe(token: str) -> Response:
    """Unsubscribe at once, as a mail program asks with one click; when it answers, it holds."""
    try:
        subjects = current.database().attempt(
            lambda session: consent.unsubscribe(session, _bounded(token), current.now(), _is_for_all())
        )
    except Problem:
        return _page("unknown_link", 404, contact=True)
    gate.wait_until_clear(current.database(), subjects)
    return _page("unsubscribed", done=True)


@blueprint.get("/privacy/confirm/<token>")
def confirm_page(token: str) -> Response:
    """Show the button; whether the link still holds is told by pressing it."""
    return _page("confirm")


@blueprint.post("/privacy/confirm/<token>")
def confirm(token: str) -> Response:
    """Turn the request into consent (double opt-in)."""
    try:
        current.database().attempt(lambda session: consent.confirm(session, _bounded(token), current.now()))
    except Problem:
        return _page("unknown_link", 404, contact=True)
    return _page("confirmed", done=True)


@blueprint.get("/.well-known/gpc.json")
def gpc() -> Response:
    """Say that Global Privacy Control is honoured, and since which day what people are told has stood."""
    policy = current.policy()
    today = current.now().astimezone(ZoneInfo(policy.controller.time_zone)).date()
    published = [notice.published for notice in policy.notices.values() if notice.published <= today]
    since = {"lastUpdate": max(published).isoformat()} if published else {}
    return jsonify(gpc=True, **since)


def _bounded(token: str) -> str:
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise Problem(404, "unknown_link", "This link is not one of ours.")
    return token


def _is_for_all() -> bool:
    """Whether the person pressed "all brands"; a mail program's one click is for the link's own (ruling R12)."""
    return request.form.get("brands") == "all"


def _page(name: str, status: int = 200, done: bool = False, contact: bool = False, brand: str = "") -> Response:
    lang = _language()
    controller = current.policy().controller
    response = make_response(
        render_template(
            "letter.html",
            text=PAGES[name][lang],
            lang=lang,
            languages=LANGUAGES,
            done=done,
            brand=brand,
            contact=controller.contact if contact else "",
            controller=controller.name_ja if lang == "ja" else controller.name_en,
        ),
        status,
    )
    response.headers["Content-Language"] = lang
    response.headers["Vary"] = "Accept-Language"
    return response


def _language() -> str:
    chosen = request.form.get("lang") or request.args.get("lang", "")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "ja"
