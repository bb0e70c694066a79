"""HTTP: who may call, what they may ask, and how a yes, a no and a fault look from outside."""
