"""Proposes which people may be one, for somebody to decide; it joins nobody itself (identity.md 4.11).

Off unless the controller turns it on, and accepting by itself is off even then. Works on values in memory and
keeps none: they become tokens under a key that is destroyed before the first comparison. Refuses to work without
a model trained on the controller's own people, and to publish what its checks doubt.
"""

from cdp.identity.proposals.checks import Bounds
from cdp.identity.proposals.described import Described
from cdp.identity.proposals.describing import DESCRIBES, describe
from cdp.identity.proposals.model import Model, read
from cdp.identity.proposals.refusals import SENTENCES, Sentence, problem
from cdp.identity.proposals.rules import BANDS, Sample, Settled, band, may_accept
from cdp.identity.proposals.run import Proposal, Run, propose
from cdp.identity.proposals.training import train
from cdp.identity.proposals.veil import Watch

__all__ = [
    "BANDS",
    "DESCRIBES",
    "SENTENCES",
    "Bounds",
    "Described",
    "Model",
    "Proposal",
    "Run",
    "Sample",
    "Sentence",
    "Settled",
    "Watch",
    "band",
    "describe",
    "may_accept",
    "problem",
    "propose",
    "read",
    "train",
]
