"""What an import tells: rows by reason, evidence by cohort, and who becomes reachable; names and figures only."""

import click

from cdp.consent.bundles import Bundle
from cdp.consent.evidence import LACKS
from cdp.gate.register import REGISTER
from cdp.ingest.files import FileReport
from cdp.ingest.reach import Reach
from cdp.ingest.speaking import UNPROVEN
from cdp.policy.terms import Policy

ASKING = (
    "警告: 同意を求めるメールも、それ自体が広告宣伝メールに当たります（特定電子メール法3条、特定商取引法12条の3、"
    "eプライバシー指令13条）。届かないままの{count}行の人に、同意を求めるメールを送らないでください。店頭、会員ページ、"
    "注文画面など、本人から来る機会に尋ねてください。",
    "Warning: mail that asks for consent is itself marketing (特定電子メール法 3, 特定商取引法 12-3, ePrivacy 13). "
    "Do not mail the people of the {count} rows that stay unreachable to ask them. Ask where they come by themselves: "
    "at the counter, in their account, at checkout.",
)


def tell_rows(report: FileReport) -> None:
    """Tell what became of the rows."""
    click.echo(f"rows={report.rows}\naccepted={report.accepted}\nduplicates={report.duplicates}")
    for reason, count in report.refused.most_common():
        click.echo(f"refused\t{count}\t{reason}")
    for (what, reason), count in report.dropped.most_common():
        click.echo(f"dropped\t{count}\t{what}\t{reason}")
    if report.rejects:
        click.echo(f"rejects={report.rejects}")
    if report.dry_run:
        click.echo("nothing was changed")


def tell_evidence(policy: Policy, bundle: Bundle) -> None:
    """Tell how far each cohort is proven, what is missing, and what partial evidence supports under each law."""
    click.echo(f"bundle={bundle.sha256}")
    for one in bundle.cohorts:
        click.echo(f"evidence\t{one.cohort.name}\t{one.grade.evidence}\t{one.id}")
        for lack in one.grade.missing:
            click.echo("\t".join(("missing", one.cohort.name, lack, *LACKS[lack])))
    for law, pack in policy.packs.items():
        supported = pack.values.get("partial_evidence_supports") or []
        click.echo(f"partial evidence supports\t{law.name}\tnothing" + (" yet" if supported else ""))


def tell_reach(when: str, reach: Reach) -> None:
    """Tell who can be reached, by law, channel, purpose and cohort, and why the others cannot."""
    for place, figures in sorted(reach.places.items()):
        named = "\t".join((when, place.law or "-", *place[1:]))
        counts = f"rows={figures.rows}\talready={figures.already}\tbecome={figures.become}\tlost={figures.lost}"
        click.echo(f"{named}\t{counts}\tstay={figures.stay.total()}")
        for code, count in sorted(figures.stay.items(), key=lambda one: (-one[1], one[0])):
            entry = REGISTER[code]
            click.echo(f"{named}\tstay\t{count}\t{code}\t{entry.ja}\t{entry.en}")
    for what in ("uncovered", "outside_period", "says_no", "apart"):
        if count := getattr(reach, what):
            click.echo(f"{when}\t{what}={count}")
    click.echo(f"{when}\talert\t{UNPROVEN}={reach.unproven}")


def warn(reach: Reach) -> None:
    """Warn of what must not be done about those who stay unreachable."""
    for text in ASKING:
        click.echo(text.format(count=reach.unreachable))
