"""A desk to try connectors at: types from the shipped folder, configured as an operator would."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdp.connector import ConnectorType, check_settings, configure, load
from cdp.connector.kit import Incoming, Item, SourceConfig
from cdp.errors import Refusal

FOLDER = Path(__file__).resolve().parents[2] / "connectors"
TYPES: Mapping[str, ConnectorType] = load(FOLDER)
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def configured(type: str, **settings: str) -> SourceConfig:
    """A source of this type; settings are named with `_` where a key has a dot or a space."""
    manifest = TYPES[type].manifest
    return configure(manifest, f"my_{type}", check_settings(manifest, settings))


def incoming(body: Any, call: str = "", at: datetime = NOW, **headers: str) -> Incoming:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Incoming(raw, at, {name.replace("_", "-"): value for name, value in headers.items()}, call)


def read(config: SourceConfig, arrived: Incoming) -> list[Item | Refusal]:
    return list(TYPES[config.type].source.read(arrived, config))


def only(found: list[Item | Refusal]) -> Item:
    assert len(found) == 1, found
    assert isinstance(found[0], Item), found[0]
    return found[0]


def with_(config: SourceConfig, **changes: Any) -> SourceConfig:
    return replace(config, **changes)
