"""The story, a chapter a file: each tells one thing and checks what it says."""

from cdp.ops.demo.chapters.arrival import arrival, opening
from cdp.ops.demo.chapters.reach import page, reach
from cdp.ops.demo.chapters.restoring import restoring
from cdp.ops.demo.chapters.rights import erasure, export, withdrawal
from cdp.ops.demo.chapters.unifying import unifying

ALL = (opening, arrival, unifying, reach, page, withdrawal, export, erasure, restoring)

__all__ = ["ALL"]
