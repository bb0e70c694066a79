"""A resource of the API: a documented blueprint whose input is read strictly, from the body and the query alike."""

from typing import Any

from flask import Request
from flask_smorest import Blueprint
from marshmallow import RAISE
from webargs.flaskparser import FlaskParser

from cdp.errors import Problem


class _Strictly(FlaskParser):
    """A misspelt parameter is an error: ignoring it would answer another question than was asked."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": RAISE, "query": RAISE}  # noqa: RUF012 - as its parent

    def load_json(self, req: Request, schema: Any) -> Any:
        """Read the body; one nested too deep is no better than one that is not JSON."""
        try:
            return super().load_json(req, schema)
        except RecursionError:
            raise Problem(400, "invalid_input", "The body is nested too deep.") from None


class Resource(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint that reads strictly."""

    ARGUMENTS_PARSER = _Strictly()
