"""Lets browsers of any site reach the doors of sources: these read no cookie and answer nothing private."""

import re

from flask import Blueprint, Response, request

_NAMES = re.compile(r"[A-Za-z0-9, _-]{1,400}")


def allow_any_origin(blueprint: Blueprint, *prefixes: str) -> None:
    """Answer preflights and mark answers of the paths that begin so."""

    @blueprint.after_request
    def _mark(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if not request.path.startswith(prefixes) or not origin:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        response.headers.add("Vary", "Origin")
        if request.method == "OPTIONS":
            wanted = request.headers.get("Access-Control-Request-Headers", "")
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = wanted if _NAMES.fullmatch(wanted) else "content-type"
            response.headers["Access-Control-Max-Age"] = "7200"
        return response
