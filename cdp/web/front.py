"""The first page, and the page of the interface's description; no outside host is contacted."""

from flask import Blueprint, render_template

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
def home() -> str:
    """Say what this is, in Japanese and English."""
    return render_template("home.html")


@blueprint.get("/api/docs")
def docs() -> str:
    """Show the interface's description; the page reads /api/openapi.json."""
    return render_template("docs.html")
