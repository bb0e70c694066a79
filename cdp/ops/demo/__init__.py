"""The demo: thousands of made-up people walk through the real doors of a running server.

Everything that it prints as a promise was checked a moment before.
"""
