"""What things that the policy declares are called in the record's language."""

from typing import Any

from cdp.policy.processing.words import pick
from cdp.policy.terms import Policy

_NAMESPACES = {
    "email": ("メールアドレス", "e-mail address"),
    "email_canon": ("メールアドレス（正規化）", "e-mail address (canonical)"),
    "phone": ("電話番号", "telephone number"),
    "phone_fixed": ("固定電話番号", "fixed-line number"),
    "line_uid": ("LINEユーザーID", "LINE user id"),
    "sns_id": ("SNSのID", "id of a social network"),
    "crm_id": ("顧客番号", "customer number"),
    "user_id": ("会員ID", "login id"),
    "push_token": ("プッシュ通知トークン", "push token"),
    "device_id": ("端末ID", "device id"),
    "anonymous_id": ("ブラウザのID", "browser id"),
}


def field_title(policy: Policy, name: str, language: str) -> str:
    """Return what a field or event is called; its own name where nothing says more."""
    if name in policy.traits:
        trait = policy.traits[name]
        return pick((trait.title_ja, trait.title_en), language) or name
    if name in _NAMESPACES:
        return pick(_NAMESPACES[name], language)
    event = policy.events.get(name)
    return str(event.get(language) or name) if event else name


def category_title(policy: Policy, name: str, language: str) -> str:
    """Return what a category is called."""
    title: dict[str, Any] = policy.categories.get(name, {}).get("title", {})
    return str(title.get(language, ""))


def listed(names: list[str], language: str) -> str:
    """Join names as the language does."""
    return ("、" if language == "ja" else ", ").join(names)
