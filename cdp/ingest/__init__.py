"""Takes facts in: a list of steps, one transaction per group, nothing answered before it is durable."""

from cdp.ingest.batches import Outcome, Report, take
from cdp.ingest.steps import STEPS

__all__ = ["STEPS", "Outcome", "Report", "take"]
