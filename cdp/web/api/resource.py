"""A resource of the API: a documented blueprint whose input is read strictly, from the body and the query alike."""

import json
from typing import Any, NoReturn

from flask import Request
from flask_smorest import Blueprint
from marshmallow import RAISE, missing
from webargs.flaskparser import FlaskParser

from cdp.errors import Problem


class _Strictly(FlaskParser):
    """A misspelt parameter is an error: ignoring it would answer another question than was asked."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": RAISE, "query": RAISE}  # noqa: RUF012 - as its parent

    def load_json(self, req: Request, schema: Any) -> Any:
        """Read the body; one that two readers would read differently is no better than one that is not JSON."""
        if not req.is_json:
            return missing
        try:
            text = req.get_data(cache=True).decode("utf-8")
            return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        except (ValueError, RecursionError):
            detail = "The body is not JSON in UTF-8, is nested too deep, or names a member twice."
            raise Problem(400, "invalid_input", detail) from None


class Resource(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint that reads strictly."""

    ARGUMENTS_PARSER = _Strictly()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member named twice")
    return members


def _no_number(_: str) -> NoReturn:
    raise ValueError("no number of JSON")
