"""Says what a connector is: what it declares, what it hands over, and where it is found."""

from collections.abc import Mapping
from typing import cast

from sqlmodel import Session

from cdp.connector.configuring import check_settings, configure
from cdp.connector.loading import ConnectorType, load

__all__ = ["ConnectorType", "check_settings", "configure", "load", "of"]


def of(session: Session) -> Mapping[str, ConnectorType]:
    """Return the connector types of this deployment, by name."""
    return cast(Mapping[str, ConnectorType], session.info["connectors"])
