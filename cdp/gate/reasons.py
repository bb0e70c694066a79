"""Puts the words and the article of the law that protects the person to a refusal, and to what speaks for a use."""

from collections.abc import Iterator, Mapping

from cdp.gate.question import Reason
from cdp.gate.register import REGISTER
from cdp.policy.terms import Law

CITED: Mapping[Law, tuple[str, ...]] = {
    Law.GDPR: ("GDPR", "EPRIVACY", "POLICY"),
    Law.APPI: ("APPI", "TOKUTEI", "ASCT", "ADEQUACY", "TELECOM", "POLICY"),
}
"""Where a rule of no single law looks for the article to name, by the law that protects the person."""

LAWS: Mapping[str, tuple[str, str]] = {
    "GDPR": ("EU一般データ保護規則", "General Data Protection Regulation (EU) 2016/679"),
    "EPRIVACY": ("eプライバシー指令", "Directive 2002/58/EC (ePrivacy)"),
    "APPI": ("個人情報の保護に関する法律", "Act on the Protection of Personal Information"),
    "TOKUTEI": (
        "特定電子メールの送信の適正化等に関する法律",
        "Act on Regulation of Transmission of Specified Electronic Mail",
    ),
    "ASCT": ("特定商取引に関する法律", "Act on Specified Commercial Transactions"),
    "TELECOM": ("電気通信事業法", "Telecommunications Business Act"),
    "ADEQUACY": (
        "EU域内から十分性認定により移転を受けた個人データに関する補完的ルール",
        "Supplementary Rules on data received from the EU on its adequacy decision",
    ),
    "PMARK": ("JIS Q 15001（プライバシーマーク）", "JIS Q 15001 (PrivacyMark)"),
    "POLICY": ("当社の方針", "House rule, stricter than the law"),
}


NUMBERS: Mapping[str, int] = {code: entry.number for code, entry in REGISTER.items()}
CODES: Mapping[int, str] = {entry.number: code for code, entry in REGISTER.items()}

RANKS: Mapping[str, int] = {code: rank for rank, code in enumerate(REGISTER)}
"""Code → its place in the order of the law."""

GROUNDS: Mapping[str, tuple[str, str, str, str]] = {
    "consent": ("GDPR", "6(1)(a)", "本人の同意があります。", "The person consented."),
    "guardian_consent": (
        "GDPR",
        "8(1), EDPB 05/2020",
        "保護者の同意があり、本人が年齢に達した後も、本人が自ら決めるまで有効です。",
        "A guardian consented; that holds, also once the person is old enough, until the person says otherwise.",
    ),
    "soft_opt_in": (
        "EPRIVACY",
        "13(2)",
        "自社の類似商品についての既存顧客への案内です（拒否の機会を毎回示します）。",
        "A customer hears of our own similar goods and may say no in every message.",
    ),
    "mail_to_entity": (
        "EPRIVACY",
        "13(5)",
        "法人の宛先への案内を、その国の法は拒否の申出まで認めています。",
        "The address is a legal entity's, and its country lets mail go there until it is refused.",
    ),
    "vital_interests": ("GDPR", "6(1)(d)", "生命に関わる利益の保護に必要です。", "Needed to protect vital interests."),
    "public_task": (
        "GDPR",
        "6(1)(e)",
        "公共の利益のための任務に必要です。",
        "Needed for a task in the public interest.",
    ),
    "contract": ("GDPR", "6(1)(b)", "本人との契約の履行に必要です。", "Needed for a contract with the person."),
    "legal_obligation": ("GDPR", "6(1)(c)", "法令上の義務によります。", "Required by law."),
    "legitimate_interests": (
        "GDPR",
        "6(1)(f)",
        "衡量評価を経た正当な利益によります。",
        "Legitimate interests, weighed and reviewed.",
    ),
    "notified_purpose": (
        "APPI",
        "17, 18(1), 21",
        "特定し、通知した利用目的の範囲内です。",
        "Within the purpose of use that was specified and notified.",
    ),
    "jp_consent": ("APPI", "18(1), 27(1)", "本人の同意があります。", "The person consented."),
    "jp_contract": ("APPI", "17, 21(4)", "契約の履行に必要な利用目的です。", "The purpose serves the contract."),
    "jp_legal_obligation": ("APPI", "18(3)(i)", "法令に基づきます。", "Based on laws and regulations."),
    "jp_vital_interests": (
        "APPI",
        "18(3)(ii)",
        "生命・身体・財産の保護に必要です。",
        "Needed to protect life, body or property.",
    ),
    "jp_public_health": (
        "APPI",
        "18(3)(iii)",
        "公衆衛生の向上に特に必要です。",
        "Especially needed for public health.",
    ),
    "jp_public_task": ("APPI", "18(3)(iv)", "国の機関等への協力に必要です。", "Needed to co-operate with the state."),
    "jp_academic": ("APPI", "18(3)(v)", "学術研究の目的によります。", "For academic research."),
    "opt_out": (
        "APPI",
        "27(2)",
        "届出済みのオプトアウトによる提供です。",
        "Provision by an opt-out that was filed and published.",
    ),
    "succession": ("APPI", "27(5)(ii)", "事業の承継に伴う提供です。", "Provided with the succession of a business."),
    "jp_inference_not_special_care": (
        "APPI",
        "2(3)",
        "推知させるにとどまる情報で、要配慮個人情報には当たりません（要確認）。",
        "It merely lets one guess and is no special-care information; somebody should look at it.",
    ),
    "entrustment": ("APPI", "27(5)(i)", "利用目的の範囲内での委託です。", "Entrusted within the purpose of use."),
    "joint_use": ("APPI", "27(5)(iii)", "通知済みの共同利用です。", "Joint use, as notified."),
    "pseudonymised_kept_close": (
        "APPI",
        "41(6), Q&A 14-18",
        "仮名加工情報の委託、事業の承継又は共同利用は、第三者への提供に当たりません。",
        "Entrustment, succession and joint use of pseudonymised information are no provision to a third party.",
    ),
    "changed_purpose": (
        "APPI",
        "17(2), 21(3)",
        "関連性のある範囲で変更され、通知又は公表された利用目的です。",
        "The purpose was changed within a related scope, and the change was told.",
    ),
    "designated_country": (
        "APPI",
        "28(1), Rule 15",
        "提供先は、同等の水準の制度を持つ国として指定された国にあります。",
        "The recipient is in a country that is designated as having an equivalent system.",
    ),
    "equivalent_system": (
        "APPI",
        "28(1), Rule 16",
        "提供先は基準に適合する体制を整備しています。",
        "The recipient keeps up a system of measures that meets the standard.",
    ),
    "foreign_consent": (
        "APPI",
        "28(1), 28(2), Rule 17",
        "国・制度・提供先の措置を示したうえで、外国への提供に本人の同意があります。",
        "The person consented to provision abroad after being told of country, system and measures.",
    ),
    "not_handled": (
        "APPI",
        "23",
        "保存先の事業者は個人データを取り扱いません。",
        "The host does not handle the personal data that it stores.",
    ),
    "residence_unknown": (
        "GDPR",
        "3",
        "居住地が不明か矛盾するため、定めのあるすべての法を適用しました。",
        "Residence is unknown or in conflict, so every configured law was applied.",
    ),
}
"""Words for what speaks for a use; they are no refusals and have no number."""


OBLIGATIONS: Mapping[str, tuple[str, str, str, str]] = {
    "identify_sender_and_offer_opt_out": (
        "TOKUTEI",
        "4",
        "送信者の氏名・連絡先と配信停止の方法を表示してください。",
        "Say who sends, and how to refuse, in every message.",
    ),
    "strip_promotional": (
        "TOKUTEI",
        "Rule 6",
        "広告の部分を除いて送信してください。",
        "Leave the advertisement out of this message.",
    ),
    "review_inference": (
        "APPI",
        "19",
        "推知される内容による差別的な利用がないか確認してください。",
        "Have somebody look that what is guessed leads to no discrimination.",
    ),
    "log_disclosure": ("GDPR", "5(2), 15(1)(c), 19", "提供を記録します。", "The disclosure is recorded."),
    "supervise_entrustee": ("APPI", "25", "委託先を監督してください。", "Supervise the entrustee."),
    "record_provision_three_years": (
        "APPI",
        "29(1)",
        "提供の記録を作成し、3年間保存します。",
        "The provision is recorded and the record kept for three years.",
    ),
    "pseudonymise_record_on_erasure": (
        "GDPR",
        "17(3)(b)",
        "消去の際、提供記録から氏名等を除きます（日本法の義務はEU法・加盟国法の義務に当たりません）。",
        "On erasure the record loses the name: a Japanese duty is none of Union or Member State law.",
    ),
    "explain_foreign_measures_on_demand": (
        "APPI",
        "28(3)",
        "本人の求めに応じて、外国にある提供先の措置を説明してください。",
        "Explain the recipient's measures abroad when the person asks.",
    ),
}
"""What comes with a yes: the article that it rests on, and its words."""


def reason(code: str, cite: str = "", law: Law = Law.GDPR, article: str = "") -> Reason:
    """Return the refusal's words with the article cited, else with the first that the law knows."""
    entry = REGISTER[code]
    looked = (cite, *CITED.get(law, ()))
    label = next((one for one in looked if one in entry.articles), next(iter(entry.articles)))
    label = cite if article and cite else label
    return Reason(code, label, article or entry.articles[label], entry.ja, entry.en, entry.remedy_ja, entry.remedy_en)


def ground(code: str) -> Reason:
    """Return the words for what speaks for a use."""
    law, article, ja, en = GROUNDS[code]
    return Reason(code, law, article, ja, en, deny=False)


def references(law: str, article: str) -> Iterator[tuple[str, str]]:
    """Yield each (law, article) of a reference that names several, as the register of articles lists them."""
    for one in article.split(", "):
        yield law, one


def cited_by(obligation: str) -> tuple[str, ...]:
    """Return the references that an obligation rests on."""
    law, article, _, _ = OBLIGATIONS[obligation]
    return tuple(f"{label} {one}" for label, one in references(law, article))


def citations() -> Iterator[tuple[str, str, str]]:
    """Yield (code, law, article) of everything that a decision can say."""
    for code, entry in REGISTER.items():
        for law, articles in entry.articles.items():
            yield from ((code, *one) for one in references(law, articles))
    for code, (law, articles, _, _) in (*GROUNDS.items(), *OBLIGATIONS.items()):
        yield from ((code, *one) for one in references(law, articles))
