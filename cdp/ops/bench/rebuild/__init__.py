"""Everybody resolved at once, on a graph of the feed's shape: time and memory."""
