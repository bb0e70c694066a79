"""Changes feeds: who entered a list and who left it, so that a recipient's copy is always what the list holds.

A feed is one list for one use. Each person stands in it once, at the position of the last change, so every
position ever given stays good: whoever replays from it holds exactly the members. Who left is told for
`TOLD_FOR` and then forgotten; a reader who was away longer begins again.
"""

from cdp.gate.feed.keeping import begin_anew, export, forget, prune
from cdp.gate.feed.log import TOLD_FOR, List
from cdp.gate.feed.reading import Change, Changes, Place, read

__all__ = ["TOLD_FOR", "Change", "Changes", "List", "Place", "begin_anew", "export", "forget", "prune", "read"]
