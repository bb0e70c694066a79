"""Finds connectors: `<name>.py` + `<name>.yaml` in the folder, or beside a package's entry point.

There is no registry to edit. A connector that does not load stops the start, by name.
"""

import importlib.util
import inspect
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import yaml
from marshmallow import ValidationError

from cdp.connector.kit import SourceType
from cdp.connector.manifest import Manifest, read_manifest
from cdp.errors import StartRefused

GROUP = "cdp.connectors"
"""Entry-point group by which other packages ship connectors: each point names a module with its YAML beside it."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times faster where PyYAML was built with libyaml, and the same language: a start waits for it."""


@dataclass(frozen=True, slots=True)
class ConnectorType:
    """A kind of connector: what it declares, and its pure code."""

    manifest: Manifest
    source: SourceType


def load(folder: Path) -> dict[str, ConnectorType]:
    """Load every connector of the folder and of installed packages; raises StartRefused naming the faulty file."""
    shipped = [
        Path(spec.origin) for point in entry_points(group=GROUP) if (spec := _spec(point.module)) and spec.origin
    ]
    files = [path.with_suffix(".py") for path in sorted(folder.glob("*.yaml"))] + shipped
    return {file.stem: _load(file) for file in files}


def _load(file: Path) -> ConnectorType:
    declaration = file.with_suffix(".yaml")
    try:
        manifest = read_manifest(file.stem, yaml.load(declaration.read_text(encoding="utf-8"), Loader=_LOADER))  # noqa: S506 - safe
    except (OSError, yaml.YAMLError) as error:
        raise StartRefused(f"The connector {declaration.name} cannot be read: {type(error).__name__}.") from error
    except ValidationError as error:
        raise StartRefused(f"The connector {declaration.name} is wrong: {error.messages}.") from None
    return ConnectorType(manifest, _source_type(_module(file), file))


def _module(file: Path) -> ModuleType:
    name = f"cdp_connectors_{sha256(str(file.parent).encode()).hexdigest()[:8]}.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise StartRefused(f"The connector {file.stem} has a {file.stem}.yaml and no {file.name} beside it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _source_type(module: ModuleType, file: Path) -> SourceType:
    found = [
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, SourceType) and one.__module__ == module.__name__
    ]
    if len(found) != 1 or inspect.isabstract(found[0]):
        raise StartRefused(f"The connector {file.name} must hold exactly one class that does all a SourceType must.")
    made: SourceType = found[0]()
    return made


def _spec(module: str) -> importlib.machinery.ModuleSpec | None:
    return importlib.util.find_spec(module)
