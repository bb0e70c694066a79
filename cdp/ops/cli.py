"""The command `cdp`."""

import click

from cdp import __version__
from cdp.ops import console
from cdp.ops.commands import (
    breaches,
    clients,
    connectors,
    consents,
    custody,
    disclosures,
    doctor,
    evidence,
    identities,
    importing,
    measuring,
    policies,
    records,
    requests,
    running,
    silencing,
    subjects,
)


@click.group(cls=console.Speaking, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="cdp")
def main() -> None:
    """Sekisho: a customer data platform that nobody's data leaves without a permit.

    Settings come from environment variables CDP_* and a `.env` file. Exit codes: 0 done, 1 done and
    something is wrong, 2 could not go on.

    \b
    First steps:
      cdp init                                   make a home in ./.cdp
      cdp connector add shop --type segment --set residence_default=JP --set key=server
      cdp client create mailer --recipient ma_tool --purposes email_marketing
      cdp serve                                  and, in another terminal, cdp worker
      cdp doctor                                 before anybody relies on it
    """


for command in (
    running.init,
    running.migrate,
    running.serve,
    running.work,
    policies.policies,
    clients.client,
    connectors.connector,
    importing.take_in,
    evidence.evidence,
    subjects.subject,
    identities.identities,
    silencing.suppress,
    requests.request,
    breaches.breach,
    consents.consent,
    disclosures.disclosures,
    records.record_of_processing,
    doctor.doctor,
    custody.keys,
    custody.ledger_group,
    custody.back_up,
    custody.restore,
    measuring.bench,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
