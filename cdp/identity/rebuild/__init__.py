"""Resolves everybody at once: the health check of what the stream keeps, and how a new configuration is taken up.

Components are found with arrays; a component in which nothing can stand in the way of joining is one person, and
only the others go through the rules. Memory grows with the evidence: 1 GB for some two million rows.
"""

from cdp.identity.rebuild.applying import apply, settle, turn
from cdp.identity.rebuild.comparing import Difference, compare
from cdp.identity.rebuild.computing import Computed, compute
from cdp.identity.rebuild.reading import Graph, assemble, read
from cdp.identity.rebuild.upholding import Lost, lost

__all__ = [
    "Computed",
    "Difference",
    "Graph",
    "Lost",
    "apply",
    "assemble",
    "compare",
    "compute",
    "lost",
    "read",
    "settle",
    "turn",
]
