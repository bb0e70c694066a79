"""Metrics tell the operator how the deployment does, and never a word about a person.

Counters of this process (or of all web processes together, when `cdp serve` started several) and
readings of the database stand on one page. Every label is from a closed set: routes, statuses,
reasons, names that the policy or an operator gave.
"""

from cdp.web.metrics.meters import count_ingest, count_page
from cdp.web.metrics.scraping import blueprint, register

__all__ = ["blueprint", "count_ingest", "count_page", "register"]
