"""Lines to try by hand while the demo keeps serving, for each of the three users."""

import sys
from pathlib import Path

from cdp.ops.demo.demonstration import Demonstration


def show(demo: Demonstration) -> None:
    """Print what an integrator, an MA tool and a customer can type or open now."""
    base, telling = f"http://127.0.0.1:{demo.home.port}", demo.telling
    tool, key = demo.secrets["ma_tool"], demo.secrets["site"]["write_key"]
    telling.chapter("Now you", "Ctrl-C ends it")
    telling.say("[bold]integrator[/bold]: send an event as any Segment SDK would")
    _line(
        telling.console.print,
        f"curl -u {key}: {base}/v1/track -H 'Content-Type: application/json' "
        """-d '{"userId":"me","event":"Product Viewed","properties":{"product_id":"tea-01"},"messageId":"m1"}'""",
    )
    telling.say("[bold]MA tool[/bold]: fetch a token, then a page of people")
    _line(
        telling.console.print,
        f"TOKEN=$(curl -s -u {tool['client_id']}:{tool['client_secret']} -d grant_type=client_credentials "
        f"{base}/oauth/token | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')",
    )
    _line(
        telling.console.print,
        f'curl -s -H "Authorization: Bearer $TOKEN" '
        f"'{base}/api/audiences/recent_buyers/members?purpose=email_marketing&channel=email&fields=email&limit=3'",
    )
    telling.say(
        "[bold]customer[/bold]: open the `unsubscribe` link of one of those rows in a browser; and for everybody:"
    )
    _line(telling.console.print, f"{base}/   {base}/api/docs")
    telling.say("[bold]operator[/bold]: what would hurt, and whether the ledger is sound")
    home, command = demo.home.environment["CDP_HOME"], Path(sys.executable).parent / "cdp"
    _line(
        telling.console.print,
        f"CDP_HOME={home} {command} doctor; CDP_HOME={home} {command} ledger verify --accept-restart",
    )


def _line(write: object, text: str) -> None:
    assert callable(write)
    write(text, markup=False, soft_wrap=True)
