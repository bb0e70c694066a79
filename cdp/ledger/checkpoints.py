"""Signed tree heads, and the file outside the database that remembers them.

A checkpoint is a C2SP signed note: origin, size, root, one extension line with its time, and an
Ed25519 signature. The file is only ever appended to. Whoever holds the database alone cannot
take anything back without contradicting it.
"""

import base64
import fcntl
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cdp.clock import parse_instant
from cdp.errors import StartRefused, Unavailable
from cdp.ledger.entries import instant
from cdp.ledger.tree import Range

KEY_FILE = "ledger.key"
PUBLIC_FILE = "ledger.pub"
CHECKPOINTS_FILE = "checkpoints.txt"
_ED25519 = b"\x01"


class SealRefused(StartRefused):
    """The ledger and its outside checkpoints contradict each other; the message says how."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the ledger at one size."""

    origin: str
    size: int
    root: bytes
    at: datetime
    signature: bytes = b""

    @property
    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n{instant(self.at)}\n"

    def note(self, public: bytes) -> str:
        """Write the signed note."""
        name = origin_of(public)
        return f"{self.body}\n— {name} {_text(_key_id(name, public) + self.signature)}\n"

    def signed_by(self, public: bytes) -> bool:
        """Whether the holder of this key signed it."""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(self.signature, self.body.encode())
        except (InvalidSignature, ValueError):
            return False
        return True

    def comes_before(self, other: "Checkpoint") -> bool:
        """Whether the other was made later: a restarted ledger may be shorter than what was lost."""
        return (number_of(self.origin), self.size) < (number_of(other.origin), other.size)

    @property
    def head(self) -> tuple[str, int, bytes]:
        return self.origin, self.size, self.root


def origin_of(public: bytes) -> str:
    """Name a ledger by its key; restarts of it are numbered behind a slash."""
    return f"sekisho-{hashlib.sha256(public).hexdigest()[:16]}"


def read_notes(content: bytes) -> tuple[list[Checkpoint], int]:
    """Read signed notes; returns them and where a torn last one begins. Raises ValueError for nonsense."""
    parts = content.split(b"\n\n")
    whole = (len(parts) - 1) // 2 * 2
    notes = [_read_note(parts[i].decode(), parts[i + 1].decode()) for i in range(0, whole, 2)]
    return notes, sum(len(part) + 2 for part in parts[:whole])


def number_of(origin: str) -> int:
    """Say which restart of the ledger an origin is: the first is 1, nonsense is 0."""
    number = origin.rpartition("/")[2]
    return int(number) if number.isdecimal() else 0


class Signer:
    """The ledger's signing key and its outside file, both in one folder apart from the database."""

    def __init__(self, folder: Path, key: Ed25519PrivateKey) -> None:
        self.path = folder / CHECKPOINTS_FILE
        self.public = key.public_key().public_bytes_raw()
        self.grown: Range | None = None
        """The tree as this process left it; a shortcut that is used only where it gives the last root."""
        self._key = key
        self._last: Checkpoint | None = None
        self._read_to = 0

    @classmethod
    def create(cls, folder: Path | str) -> "Signer":
        """Make a signing key and an empty file; raises StartRefused when there is a key."""
        folder = Path(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        try:
            _write_new(folder / CHECKPOINTS_FILE, b"")
            _write_new(folder / PUBLIC_FILE, key.public_key().public_bytes_raw().hex().encode() + b"\n")
            _write_new(folder / KEY_FILE, key.private_bytes_raw().hex().encode() + b"\n")
        except FileExistsError:
            raise StartRefused(f"There is a ledger key in {folder} already; it will not be overwritten.") from None
        return cls(folder, key)

    @classmethod
    def load(cls, folder: Path | str) -> "Signer":
        """Open the key and the file; raises StartRefused when one is missing or damaged."""
        folder = Path(folder)
        try:
            if (folder / KEY_FILE).stat().st_mode & 0o077:
                raise StartRefused(f"The ledger key in {folder} may be read by others: `chmod 600` it.")
            key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex((folder / KEY_FILE).read_text()))
            signer = cls(folder, key)
            signer.last()
        except FileNotFoundError as error:
            raise StartRefused(
                f"The ledger's {error.filename} is missing: bring it back, it cannot be made again."
            ) from None
        except (ValueError, OSError):
            raise StartRefused(f"The ledger's key or checkpoints in {folder} are damaged: bring them back.") from None
        return signer

    def __repr__(self) -> str:
        return f"<Signer {origin_of(self.public)}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")

    @property
    def origin(self) -> str:
        """The origin that new checkpoints go on with."""
        last = self.last()
        return last.origin if last else f"{origin_of(self.public)}/1"

    def sign(self, origin: str, size: int, root: bytes, at: datetime) -> Checkpoint:
        """Sign a tree head; refuses to shrink the ledger or to say two things of one size."""
        last = self.last()
        if last and last.origin == origin and (size < last.size or (size == last.size and root != last.root)):
            raise SealRefused("The ledger would shrink or fork: a checkpoint outside the database says otherwise.")
        checkpoint = Checkpoint(origin, size, root, at)
        return replace(checkpoint, signature=self._key.sign(checkpoint.body.encode()))

    def last(self) -> Checkpoint | None:
        """Return the newest published checkpoint; reads only what was appended since."""
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._read_to:
                raise SealRefused("The ledger's outside checkpoints were cut back: bring the file back.")
            file.seek(self._read_to)
            notes, end = read_notes(file.read())
        if notes:
            self._last = notes[-1]
            self._read_to += end
        return self._last

    def published(self) -> list[Checkpoint]:
        """Read the whole outside file."""
        return read_notes(self.path.read_bytes())[0]

    def publish(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Append what the file does not have yet and fsync; raises Unavailable when the disk refuses."""
        try:
            with self.path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                last = self.last()
                fresh = [one for one in checkpoints if last is None or last.comes_before(one)]
                file.seek(self._read_to)
                file.truncate()  # a note torn by a crash; its checkpoint is in the database
                file.write("".join(one.note(self.public) + "\n" for one in fresh).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable("ledger") from error


def _read_note(body: str, signature: str) -> Checkpoint:
    origin, size, root, at = body.split("\n")
    mark, name, signed = signature.split(" ")
    if mark != "—" or origin != f"{name}/{number_of(origin)}":
        raise ValueError("not a signed note")
    return Checkpoint(origin, int(size), _bytes(root), parse_instant(at), _bytes(signed)[4:])


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
