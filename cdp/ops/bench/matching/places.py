"""What strangers have in common: kiosks in shops, mailboxes of companies, and values that mean nobody.

Everybody draws here whether one of these gets into their records. Shares are of people, so that a feed of a tenth
has a tenth of the damage.
"""

from random import Random

from cdp.ops.bench.matching import contacts

PEOPLE_PER_SHOP, PEOPLE_PER_COMPANY = 30_000, 30_000
"""One kiosk, and one company with a mailbox for many, to so many people."""
KIOSK, ROLE_MAILBOX, SMALL_ROLE = 0.0045, 0.001, 0.001
NO_PHONE, NO_EMAIL, NO_DEVICE, NO_USER = 0.009, 0.0009, 0.001, 0.001
"""How likely a placeholder stands where a value was asked for."""


class Places:
    """The shops and companies of a feed."""

    def __init__(self, chance: Random, people: int) -> None:
        self.chance = chance
        self.kiosks = [contacts.browser(chance) for _ in range(-(-people // PEOPLE_PER_SHOP))]
        self.offices = [f"info@office{number}.example" for number in range(-(-people // PEOPLE_PER_COMPANY))]
        self.small = [f"sales@works{number}.example" for number in range(1 + people // 1500)]

    def kiosk(self) -> str:
        """Return the device on which somebody signs in at the counter; mostly none."""
        return self.chance.choice(self.kiosks) if self.chance.random() < KIOSK else ""

    def role_mailbox(self) -> str:
        """Return the mailbox of an office that somebody gives for their own; mostly none."""
        drawn = self.chance.random()
        if drawn < ROLE_MAILBOX:
            return self.chance.choice(self.offices)
        return self.chance.choice(self.small) if drawn < ROLE_MAILBOX + SMALL_ROLE else ""

    def no_phone(self) -> str:
        """Return what a clerk types where nobody gives a number; mostly nothing."""
        if self.chance.random() >= NO_PHONE:
            return ""
        return self.chance.choice(("000-0000-0000", "0000000000", "000-0000-0000", "なし"))

    def no_email(self) -> str:
        """Return what stands for an address; mostly nothing."""
        if self.chance.random() >= NO_EMAIL:
            return ""
        return self.chance.choice(("test@example.com", "test@example.com", "noreply@shop.example", "none@none.invalid"))

    def no_device(self) -> str:
        """Return the id of a phone that forbids to be followed; mostly nothing."""
        return "00000000-0000-0000-0000-000000000000" if self.chance.random() < NO_DEVICE else ""

    def no_user(self) -> str:
        """Return what a site says of a visitor whom it does not know; mostly nothing."""
        return self.chance.choice(("anonymous", "undefined", "null")) if self.chance.random() < NO_USER else ""
