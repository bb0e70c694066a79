"""What a request reaches: the deployment that its app was made for, and who is calling."""

from datetime import datetime
from typing import cast

from flask import current_app, g

from cdp.db import Database
from cdp.deployment import Deployment
from cdp.policy.terms import Policy
from cdp.web.auth.caller import Caller


def deployment() -> Deployment:
    """Return the deployment of the current app."""
    return cast(Deployment, current_app.extensions["sekisho"])


def database() -> Database:
    """Return the one database of the deployment."""
    return deployment().database


def policy() -> Policy:
    """Return the policy in force."""
    return deployment().policy


def now() -> datetime:
    """Return the instant by the deployment's clock."""
    return deployment().clock.now()


def caller() -> Caller:
    """Return the client that this request was authenticated for; only under `requires`."""
    return cast(Caller, g.client)
