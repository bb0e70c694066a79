"""The page that Prometheus reads. Keep it from the outside: it tells how busy the deployment is."""

import time

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from cdp.web import current
from cdp.web.metrics.meters import Meters, of_app
from cdp.web.metrics.readings import Readings

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

blueprint = Blueprint("metrics", __name__)


def register(app: Flask) -> None:
    """Count every request of this app, and serve the page."""
    app.extensions["sekisho_meters"] = Meters()
    app.before_request(_begin)
    app.after_request(_note)
    app.teardown_request(_end)
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return every count and reading in Prometheus's text format."""
    readings = CollectorRegistry()
    readings.register(Readings(current.deployment()))
    told = generate_latest(of_app().collected()) + generate_latest(readings)
    return Response(told, content_type=CONTENT_TYPE_LATEST)


def route_of_request() -> str:
    """Return the template of the route, never the path."""
    return request.url_rule.rule if request.url_rule else "unmatched"


def method_of_request() -> str:
    """Return the method, or `other`: what clients make up is no label."""
    return request.method if request.method in METHODS else "other"


def _begin() -> None:
    g.metered_since = time.perf_counter()
    of_app().under_way.inc()


def _note(response: Response) -> Response:
    if "metered_since" in g:
        seconds = time.perf_counter() - g.metered_since
        of_app().note(response, method_of_request(), route_of_request(), seconds)
    return response


def _end(_: BaseException | None) -> None:
    if g.pop("metered_since", None) is None:
        return
    meters: Meters = current_app.extensions["sekisho_meters"]
    meters.under_way.dec()
    pool = current.database().writer.pool
    meters.pool.set(getattr(pool, "checkedout", lambda: 0)())
