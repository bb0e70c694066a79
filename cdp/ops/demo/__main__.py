"""`python -m cdp.ops.demo [--exit]`: tell the story, then keep serving until Ctrl-C."""

import sys
import time
from pathlib import Path

from cdp.ops.demo import byhand, chapters
from cdp.ops.demo.demonstration import Demonstration, prepare
from cdp.ops.demo.home import CommandError
from cdp.ops.demo.wire import AnswerError

FOLDER = Path(".demo")


def main(arguments: list[str]) -> int:
    """Run the demo; returns 0 only if every promise held."""
    demo = prepare(FOLDER)
    started = time.monotonic()
    try:
        tell(demo)
        demo.telling.summary(time.monotonic() - started)
        if "--exit" not in arguments:
            _keep_serving(demo)
    except KeyboardInterrupt:
        demo.telling.say("stopped")
    except (CommandError, AnswerError) as error:
        demo.telling.promise(f"the story can go on: {error}", False)
    finally:
        demo.home.stop()
    return 1 if demo.telling.broken else 0


def tell(demo: Demonstration) -> None:
    """Tell every chapter in order."""
    for chapter in chapters.ALL:
        started = time.monotonic()
        chapter(demo)
        demo.telling.say(f"  [dim]{time.monotonic() - started:.1f} s[/dim]")


def _keep_serving(demo: Demonstration) -> None:
    byhand.show(demo)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
