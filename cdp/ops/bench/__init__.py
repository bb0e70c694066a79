"""Measures what a promise was made about: each figure is printed with what it measures, and with its noise."""
