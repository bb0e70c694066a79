"""What the pages say, in Japanese and English."""

from dataclasses import dataclass

LANGUAGES = {"ja": "日本語", "en": "English"}


@dataclass(frozen=True, slots=True)
class Text:
    """The words of one page in one language."""

    title: str
    body: str
    button: str = ""
    every: str = ""
    """The button for all brands beside the link's own."""
    language: str = "Language"


PAGES: dict[str, dict[str, Text]] = {
    "privacy": {
        "ja": Text(
            "あなたの情報について",
            "お知らせの配信は、お送りしたメールの中の配信停止のリンクで、いつでも止められます。保有する情報の開示、"
            "訂正、消去、利用の停止のご請求と、同意の撤回は、次の窓口で承ります。",
            language="言語",
        ),
        "en": Text(
            "Your information",
            "You can stop messages at any time by the unsubscribe link in each of them. To see, correct or erase what "
            "is held about you, to have its use stopped, or to withdraw consent, write to:",
        ),
    },
    "unsubscribe": {
        "ja": Text(
            "配信の停止",
            "この宛先へのお知らせの配信を止めます。よろしければ押してください。",
            "配信を止める",
            "すべてのブランドの配信を止める",
            "言語",
        ),
        "en": Text(
            "Unsubscribe",
            "This stops messages to the address this link was sent to.",
            "Unsubscribe",
            "Unsubscribe from all brands",
        ),
    },
    "unsubscribed": {
        "ja": Text("配信を止めました", "今後、この宛先へお知らせをお送りすることはありません。", language="言語"),
        "en": Text("You are unsubscribed", "You will get no more of these messages at this address."),
    },
    "confirm": {
        "ja": Text("登録の確認", "お知らせの受け取りに同意される場合は、押してください。", "同意する", language="言語"),
        "en": Text("Confirm", "Press the button if you agree to receive these messages.", "I agree"),
    },
    "confirmed": {
        "ja": Text("確認しました", "同意を記録しました。いつでも取り消せます。", language="言語"),
        "en": Text("Confirmed", "Your consent is on record. You can withdraw it at any time."),
    },
    "unknown_link": {
        "ja": Text(
            "リンクが無効です",
            "このリンクは期限が過ぎたか、途中で壊れています。"
            "メールのリンクをもう一度開くか、下記の窓口へご連絡ください。",
            language="言語",
        ),
        "en": Text(
            "This link does not work",
            "It is too old, or was damaged on its way. Open the link in the mail again, or write to us:",
        ),
    },
}
