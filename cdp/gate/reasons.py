"""The one register of why a use is refused: number, articles, and words in Japanese and English.

A number is one byte of a stored permission. Numbers are never changed and never given again: a retired
reason keeps its place. 0 is a yes; 255 says that nobody has decided yet. A reader may rely on the codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cdp.gate.question import Reason
from cdp.policy.terms import Law

STALE = 255
"""The permission is absent, out of date or of another policy version: a no until it is settled."""

CITED: Mapping[Law, tuple[str, ...]] = {
    Law.GDPR: ("GDPR", "EPRIVACY", "POLICY"),
    Law.APPI: ("APPI", "TOKUTEI", "POLICY"),
}
"""Where a rule of no single law looks for the article to name, by the law that protects the person."""

LAWS: Mapping[str, tuple[str, str]] = {
    "GDPR": ("EU一般データ保護規則", "General Data Protection Regulation (EU) 2016/679"),
    "EPRIVACY": ("eプライバシー指令", "Directive 2002/58/EC (ePrivacy)"),
    "APPI": ("個人情報の保護に関する法律", "Act on the Protection of Personal Information"),
    "TOKUTEI": (
        "特定電子メールの送信の適正化等に関する法律・特定商取引に関する法律（ASCT）",
        "Act on Regulation of Transmission of Specified Electronic Mail; "
        "Act on Specified Commercial Transactions (ASCT)",
    ),
    "POLICY": ("当社の方針", "House rule, stricter than the law"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason: its byte, the articles that it may rest on, its words and its remedy."""

    number: int
    articles: Mapping[str, str]
    ja: str
    en: str
    remedy_ja: str
    remedy_en: str


REGISTER: Mapping[str, Entry] = {
    "unknown_use": Entry(
        1,
        {"GDPR": "5(1)(b), 25(2)", "APPI": "17(1)"},
        "この利用目的・提供先・チャネルの組合せは定められていません。",
        "No policy declares this purpose for this recipient on this channel.",
        "利用目的の定めに提供先とチャネルを加え、承認を受けてください。",
        "Declare the recipient and the channel with the purpose, and have it approved.",
    ),
    "erasing": Entry(
        2,
        {"GDPR": "17(1)", "APPI": "35(2)"},
        "本人のデータは消去の手続中です。",
        "This person's data are being erased.",
        "対応の余地はありません。",
        "None: the data will be gone.",
    ),
    "no_contact_point": Entry(
        3,
        {"GDPR": "5(1)(c)", "APPI": "22"},
        "このチャネルで本人に届く連絡先がありません。",
        "The person has no contact point on this channel.",
        "本人から連絡先の提供を受けてください。",
        "Let the person give a contact point.",
    ),
    "erased": Entry(
        4,
        {"GDPR": "17(1)", "APPI": "35(2)"},
        "この連絡先は消去の請求により抹消されています。",
        "This contact point was erased at its owner's request.",
        "本人が自ら改めて登録した場合に限り、新たに取り扱うことができます。",
        "Only a new act of the person, such as signing up again, starts anew.",
    ),
    "complaint": Entry(
        5,
        {"GDPR": "21(3)", "APPI": "35(5)", "TOKUTEI": "3(3), ASCT 12-3(2)"},
        "本人がこの宛先への送信を迷惑メールとして申告しています。",
        "Messages to this contact point were reported as unwanted.",
        "本人がこの宛先で改めて明示的に同意した場合に限り再開できます。",
        "Only a new explicit consent for this contact point reopens it.",
    ),
    "bounced": Entry(
        6,
        {"GDPR": "5(1)(d)", "APPI": "22"},
        "この宛先には届きません（恒久的な配信不能）。",
        "This contact point does not exist any more (permanent delivery failure).",
        "本人に現在の連絡先を確認してください。",
        "Ask the person for a current contact point.",
    ),
    "unsubscribed": Entry(
        7,
        {"GDPR": "7(3), 21(3)", "APPI": "35(5)", "TOKUTEI": "3(3), ASCT 12-3(2)"},
        "この宛先では配信停止が申し出られています。",
        "This contact point was unsubscribed.",
        "本人がこの宛先で改めて明示的に同意した場合に限り再開できます。",
        "Only a new explicit consent for this contact point reopens it.",
    ),
    "contact_objected": Entry(
        8,
        {"GDPR": "21(2), 21(3)", "APPI": "35(5)", "TOKUTEI": "3(3), ASCT 12-3(2)"},
        "この宛先の利用に異議が申し立てられています。",
        "Use of this contact point for marketing was objected to.",
        "本人が改めて明示的に同意した場合に限り再開できます。",
        "Only a new explicit consent reopens it.",
    ),
    "suppressed": Entry(
        9,
        {"GDPR": "25(2)", "APPI": "23"},
        "この宛先の利用は停止されています。",
        "Use of this contact point is suppressed.",
        "停止の事由を確認してください。",
        "Find out why it was suppressed.",
    ),
    "contract_expired": Entry(
        10,
        {"GDPR": "28(3)", "APPI": "25"},
        "提供先との有効な契約がありません。",
        "No contract with the recipient is in force.",
        "契約を締結又は更新し、提供先の定めを改めてください。",
        "Conclude or renew the contract and update the recipient's declaration.",
    ),
    "supervision_overdue": Entry(
        11,
        {"GDPR": "28(1)", "APPI": "25"},
        "委託先の監督（年次の確認）が期限を過ぎています。",
        "The yearly check of the processor is overdue.",
        "委託先を確認し、確認日を記録してください。",
        "Check the processor and record the day.",
    ),
    "restricted": Entry(
        12,
        {"GDPR": "18(2)", "APPI": "35(2), 35(6)"},
        "本人の求めにより利用が制限又は停止されています。",
        "Processing is restricted or stopped at the person's demand.",
        "制限の解除には、事前に本人への通知が必要です。",
        "The restriction may be lifted only after telling the person.",
    ),
    "objected": Entry(
        13,
        {"GDPR": "21(2), 21(3)", "APPI": "35(5)"},
        "本人が、これを目的とするプロファイリングを含め、ダイレクトマーケティングに異議を申し立てています。",
        "The person objected to direct marketing, including the profiling that serves it.",
        "異議は、本人（又は保護者）が自ら取り下げた場合に限り解除されます。後の同意では解除されません。",
        "Only the person's (or guardian's) own word takes the objection back; a newer consent does not.",
    ),
    "interests_objected": Entry(
        14,
        {"GDPR": "21(1)"},
        "本人が、正当な利益を根拠とするこの取扱いに異議を申し立てています。",
        "The person objected to this processing, which rests on legitimate interests.",
        "異議は、本人（又は保護者）が自ら取り下げた場合に限り解除されます。"
        "異議にかかわらず続けるべき取扱いには、種別 `legal` の利用目的が必要です。",
        "Only the person's own word takes it back; what must go on in spite of it needs a purpose of kind `legal`.",
    ),
    "no_lawful_basis": Entry(
        15,
        {"GDPR": "6(1)"},
        "この利用目的に適法な根拠がありません。",
        "The purpose has no lawful basis.",
        "適法な根拠を定め、通知してください。",
        "Declare a lawful basis and tell people.",
    ),
    "lia_missing_or_stale": Entry(
        16,
        {"GDPR": "6(1)(f)"},
        "正当な利益の衡量評価がないか、12か月以内に見直されていません。",
        "The legitimate-interests assessment is missing or was not reviewed within 12 months.",
        "評価を行うか見直し、その日付を記録してください。",
        "Make or review the assessment and record its date.",
    ),
    "purpose_incompatible": Entry(
        17,
        {"GDPR": "5(1)(b), 6(4)"},
        "収集時の目的と両立しない利用です。",
        "The data were collected for purposes that this one is not compatible with.",
        "本人の同意を得るか、両立性の評価を記録してください。",
        "Obtain consent, or record a compatibility assessment.",
    ),
    "special_category": Entry(
        18,
        {"GDPR": "9(1), 10", "APPI": "20(2)"},
        "特別な種類の個人データ（要配慮個人情報）又は犯罪歴等のデータが含まれ、それに必要な根拠がありません。",
        "The purpose reaches special-category, special-care or criminal data without the ground these need.",
        "当該項目を外すか、明示的な同意を根拠としてください。",
        "Leave these fields out, or rest the purpose on explicit consent.",
    ),
    "not_explicit": Entry(
        19,
        {"GDPR": "9(2)(a)", "APPI": "20(2)", "EPRIVACY": "13(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "同意はありますが、必要とされる明示的な行為によるものではありません。",
        "There is consent, but not by the explicit act that is needed here.",
        "本人に明示的な同意を求めてください。",
        "Ask the person for explicit consent.",
    ),
    "child": Entry(
        20,
        {"GDPR": "8(1)", "APPI": "18(1), 27(1), Q&A 1-62"},
        "本人が単独で同意できる年齢に達しておらず、保護者（法定代理人）の同意がありません。",
        "The person is below the age of consent and no guardian consented.",
        "保護者（法定代理人）の同意を得てください。",
        "Obtain the consent of the holder of parental responsibility.",
    ),
    "child_advertising": Entry(
        21,
        {"GDPR": "8, Recital 71"},
        "広告提供のための児童のプロファイリングは行いません。",
        "Children are not profiled for other people's advertising.",
        "本人が年齢に達するまで対応の余地はありません。",
        "None until the person comes of age.",
    ),
    "no_consent": Entry(
        22,
        {"GDPR": "6(1)(a)", "EPRIVACY": "5(3), 13(1)", "APPI": "18(1), 27(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "本人の同意がありません（まだ尋ねていません）。",
        "The person has not consented: nothing was ever said about this.",
        "通知を示したうえで本人に同意を求めてください。",
        "Show the notice and ask the person.",
    ),
    "refused": Entry(
        23,
        {"GDPR": "6(1)(a), 7(4)", "EPRIVACY": "5(3), 13(1)", "APPI": "18(1), 27(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "本人が同意を拒んでいます。",
        "The person refused.",
        "本人が自ら同意した場合に限り行えます。繰り返し求めないでください。",
        "Only if the person consents of their own accord; do not ask again and again.",
    ),
    "withdrawn": Entry(
        24,
        {"GDPR": "7(3)", "EPRIVACY": "5(3), 13(1)", "APPI": "18(1), 27(1)", "TOKUTEI": "3(3), ASCT 12-3(2)"},
        "本人が同意を撤回しています。",
        "The person withdrew consent.",
        "本人が自ら改めて同意した場合に限り再開できます。",
        "Only a new consent, given freely, reopens it.",
    ),
    "unconfirmed": Entry(
        25,
        {"GDPR": "7(1)", "EPRIVACY": "13(1)", "APPI": "18(1), 27(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "同意が求められましたが、本人はまだ確認していません（ダブルオプトイン）。",
        "Consent was requested and is not confirmed yet (double opt-in).",
        "本人の確認を待ってください。再送は一度までです。",
        "Wait for the person to confirm; one reminder at most.",
    ),
    "expired": Entry(
        26,
        {"GDPR": "5(1)(e), 7(1)", "EPRIVACY": "5(3), 13(1)", "APPI": "18(1), 27(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "同意の有効期間が過ぎています。",
        "The consent has expired.",
        "改めて本人に同意を求めてください。",
        "Ask the person again.",
    ),
    "unproven": Entry(
        27,
        {"GDPR": "7(1)", "EPRIVACY": "5(3), 13(1)", "APPI": "18(1), 27(1)"},
        "同意があったことを、示した通知とともに証明できません。",
        "The consent cannot be demonstrated together with the notice that was shown.",
        "証拠を添えて同意を記録するか、改めて同意を求めてください。",
        "Record the consent with its evidence, or ask again.",
    ),
    "invalidated": Entry(
        28,
        {"GDPR": "4(11)", "EPRIVACY": "2(f)", "APPI": "18(1), 27(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "同意の取得方法が有効ではありません（あらかじめチェックされた欄、沈黙など）。",
        "The way of asking was no valid consent (pre-ticked box, silence, bundled terms).",
        "本人の積極的な行為による同意を得てください。",
        "Obtain consent by a clear affirmative act.",
    ),
    "needs_reconsent": Entry(
        29,
        {"GDPR": "4(11), 13(3)", "EPRIVACY": "5(3), 13(1)", "APPI": "17(2), 27(1)", "TOKUTEI": "3(1), ASCT 12-3(1)"},
        "同意の後に通知の内容が実質的に変わったか、同意した通知がこの提供先に触れていません。",
        "The notice changed materially after the consent, or the notice consented to does not name this recipient.",
        "新しい通知を示して、改めて同意を求めてください。",
        "Show the current notice and ask again.",
    ),
    "third_party": Entry(
        30,
        {"GDPR": "6(1), 28(10)", "APPI": "27(1)"},
        "第三者への提供に必要な本人の同意その他の根拠がありません。",
        "Provision to a third party lacks the person's consent or another ground.",
        "提供について同意を得るか、委託又は共同利用として整えてください。",
        "Obtain consent to the provision, or arrange entrustment or joint use.",
    ),
    "transfer": Entry(
        31,
        {"GDPR": "44-46"},
        "十分性認定のない国への移転で、適切な保護措置がありません。",
        "The recipient's country has no adequacy decision and no appropriate safeguard is on file.",
        "標準契約条項と移転影響評価などを整えてください。",
        "Put in place standard contractual clauses with a transfer impact assessment, or another safeguard.",
    ),
    "out_of_purpose": Entry(
        32,
        {"APPI": "18(1)"},
        "特定し、通知又は公表した利用目的の範囲を超えています。",
        "The use goes beyond the purpose of use that was specified and notified.",
        "本人の同意を得るか、関連性のある範囲で目的を変更して通知してください。",
        "Obtain consent, or change the purpose within a related scope and notify it.",
    ),
    "foreign_third_party": Entry(
        33,
        {"APPI": "28(1)"},
        "外国にある第三者への提供について、指定国・基準適合体制・本人の同意のいずれもありません。",
        "The recipient is abroad and neither a designated country, an equivalent system nor consent applies.",
        "基準適合体制を整えるか、外国への提供について同意を得てください。",
        "Set up an equivalent system, or obtain consent to provision abroad.",
    ),
    "jp_equivalent_check_overdue": Entry(
        34,
        {"APPI": "28(3)"},
        "外国にある提供先の基準適合体制の定期確認が12か月を過ぎています。",
        "The periodic check of the foreign recipient's equivalent system is older than 12 months.",
        "提供先の措置と現地の制度を確認し、確認日を記録してください。",
        "Check the recipient's measures and the local system, and record the day.",
    ),
    "foreign_information_missing": Entry(
        35,
        {"APPI": "28(2)"},
        "外国への提供に同意した際、国名・制度・提供先の措置が示されていません。",
        "The consent to provision abroad was given without being told country, legal system and measures.",
        "三つの情報を示して、改めて同意を求めてください。",
        "Give the three items of information and ask again.",
    ),
    "gpc": Entry(
        36,
        {"GDPR": "21(5)", "POLICY": "GPC"},
        "本人の端末が Global Privacy Control により追跡と提供を拒んでいます。",
        "The person's browser objects to tracking and sharing by Global Privacy Control.",
        "本人が後に明示的に同意した場合に限り行えます。",
        "Only a later explicit consent of the person overrides the signal.",
    ),
    "no_optin_record": Entry(
        37,
        {"TOKUTEI": "3(2), ASCT 12-3(3)"},
        "広告メールの請求又は同意を証する記録がありません。",
        "There is no record of the request or consent for advertising mail.",
        "取得の時期・方法・文面を添えて同意を記録してください。",
        "Record when and how consent was asked for, with the wording shown.",
    ),
    "field_not_allowed": Entry(
        38,
        {"GDPR": "5(1)(c)", "APPI": "18(1)"},
        "この項目は、この利用目的でこの提供先に渡すことができません。",
        "This field may not go to this recipient for this purpose.",
        "項目を外すか、利用目的と提供先の定めを見直してください。",
        "Leave the field out, or review the purpose and the recipient.",
    ),
    "small_audience": Entry(
        39,
        {"GDPR": "5(1)(f), Recital 26", "APPI": "23"},
        "対象者が少なく、個人が識別されるおそれがあります。",
        "So few people match that individuals could be singled out.",
        "条件を広げてください。",
        "Widen the rule.",
    ),
    "not_settled": Entry(
        STALE,
        {"GDPR": "24(1), 25(2)", "APPI": "23"},
        "現在の方針と状況による判断がまだ済んでいません。",
        "Nobody has decided under the current policy and situation yet.",
        "まもなく判断されます。しばらくして再度お試しください。",
        "It will be decided shortly; try again.",
    ),
}

NUMBERS: Mapping[str, int] = {code: entry.number for code, entry in REGISTER.items()}
CODES: Mapping[int, str] = {entry.number: code for code, entry in REGISTER.items()}

GROUNDS: Mapping[str, tuple[str, str, str, str]] = {
    "consent": ("GDPR", "6(1)(a)", "本人の同意があります。", "The person consented."),
    "soft_opt_in": (
        "EPRIVACY",
        "13(2)",
        "自社の類似商品についての既存顧客への案内です（拒否の機会を毎回示します）。",
        "A customer hears of our own similar goods and may say no in every message.",
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
        "17, 21",
        "特定し、通知した利用目的の範囲内です。",
        "Within the purpose of use that was specified and notified.",
    ),
    "jp_consent": ("APPI", "18(1), 27(1)", "本人の同意があります。", "The person consented."),
    "jp_contract": ("APPI", "17, 21(4)", "契約の履行に必要な利用目的です。", "The purpose serves the contract."),
    "jp_legal_obligation": ("APPI", "18(3)(i)", "法令に基づきます。", "Based on laws and regulations."),
    "entrustment": ("APPI", "27(5)(i)", "利用目的の範囲内での委託です。", "Entrusted within the purpose of use."),
    "joint_use": ("APPI", "27(5)(iii)", "通知済みの共同利用です。", "Joint use, as notified."),
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


def reason(code: str, cite: str = "", law: Law = Law.GDPR, article: str = "") -> Reason:
    """Return the refusal's words with the article cited, else with the first that the law knows."""
    entry = REGISTER[code]
    label = next((one for one in (cite, *CITED.get(law, ())) if one in entry.articles), next(iter(entry.articles)))
    return Reason(code, label, article or entry.articles[label], entry.ja, entry.en, entry.remedy_ja, entry.remedy_en)


def ground(code: str) -> Reason:
    """Return the words for what speaks for a use."""
    law, article, ja, en = GROUNDS[code]
    return Reason(code, law, article, ja, en, deny=False)
