"""The SDKs of npm, installed once per checkout into a folder that git ignores; nothing of them is kept here."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "node_modules"
INSTALL = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
OLDEST_NODE = 20
"""`@segment/analytics-node` wants 20."""


def missing() -> str:
    """Install the packages if they are not; return why they cannot be had, or an empty text."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=60).stdout
    if int(version.strip().lstrip("v").split(".")[0] or 0) < OLDEST_NODE:
        return f"node is {version.strip()}, and the SDKs want {OLDEST_NODE} or newer"
    return _install()


def _install() -> str:
    """Install under a lock, for several test processes begin at once."""
    wanted = hashlib.sha256((HERE / "package.json").read_bytes()).hexdigest()
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / ".installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = FOLDER / ".installed"
        if mark.exists() and mark.read_text() == wanted:
            return ""
        try:
            done = subprocess.run(INSTALL, cwd=HERE, capture_output=True, text=True, timeout=540)
        except subprocess.TimeoutExpired:
            return "npm could not install the SDKs in nine minutes"
        if done.returncode:
            return "npm could not install the SDKs: " + (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        mark.write_text(wanted)
    return ""
