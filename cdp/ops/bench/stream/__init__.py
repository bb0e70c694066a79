"""How many records a second are taken in, everything of a real ingest included, beside the floor of the same rows."""
