"""Request bodies from strangers: capped as they arrive and again as they are unpacked."""

import zlib

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from cdp.errors import Problem

GZIP = 31
"""zlib's name for a gzip header and trailer."""


def read_body(most: int) -> bytes:
    """Return the body, unpacked; raises Problem: 413 too_large, 415 for another encoding, 400 bad_gzip.

    `most` counts bytes both packed and unpacked, so that a small body cannot grow in memory.
    """
    request.max_content_length = most
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise _too_large(most) from None
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Problem(415, "unsupported_encoding", "Send the body as it is, or with gzip.")
    return _unpack(body, most)


def check_type(*allowed: str) -> None:
    """Refuse a body of another type; one that names no type may pass. Raises Problem (415)."""
    if request.mimetype and request.mimetype not in allowed:
        raise Problem(415, "unsupported_media_type", f"Send the body as {' or '.join(allowed)}.")


def _unpack(body: bytes, most: int) -> bytes:
    gzip = zlib.decompressobj(GZIP)
    try:
        unpacked = gzip.decompress(body, most + 1)
    except zlib.error:
        raise _bad_gzip() from None
    if len(unpacked) > most:
        raise _too_large(most)
    if not gzip.eof or gzip.unused_data:
        raise _bad_gzip()
    return unpacked


def _too_large(most: int) -> Problem:
    return Problem(413, "too_large", f"A body may have at most {most} bytes.", headers={"Connection": "close"})


def _bad_gzip() -> Problem:
    return Problem(400, "bad_gzip", "The body says that it is gzip, and is not one whole gzip stream.")
