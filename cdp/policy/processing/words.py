"""The words of the record in both languages; a name that has none is told as it is, and `gaps` says so."""

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]
"""Name → (ja, en)."""

LANGUAGES = ("ja", "en")

ROLES: Words = {
    "processor": ("委託先（処理者）", "processor"),
    "third_party": ("第三者", "third party (controller)"),
    "joint_user": ("共同利用者", "joint user (controller)"),
    "successor": ("事業承継者", "successor of the business"),
    "non_handling_host": ("個人データを取り扱わないクラウド事業者", "host that does not handle the data (processor)"),
    "internal": ("社内", "our own staff"),
    "subject": ("本人", "the person concerned"),
}

BASES: Words = {
    "consent": ("同意", "consent"),
    "soft_opt_in": ("同意又は既存顧客への案内", "consent, or soft opt-in of a customer"),
    "contract": ("契約の履行", "contract"),
    "legal_obligation": ("法令上の義務", "legal obligation"),
    "legitimate_interests": ("正当な利益", "legitimate interests"),
    "notified_purpose": ("通知・公表した利用目的", "notified purpose of use"),
    "vital_interests": ("生命・身体の保護", "vital interests"),
    "public_task": ("公的な職務", "public task"),
    "public_health": ("公衆衛生・児童の健全な育成", "public health, upbringing of children"),
    "academic": ("学術研究", "academic research"),
    "opt_out": ("オプトアウト", "opt-out"),
}

PEOPLE: Words = {
    "essential": ("顧客", "customers"),
    "support": ("顧客、お問い合わせをした方", "customers, and people who write to us"),
    "legal": ("情報を保有するすべての本人", "everybody whose data are held"),
    "direct_marketing": ("顧客、案内を希望した方", "customers, and people who asked for offers"),
    "personalisation": ("サイトの訪問者、会員", "visitors of our sites, members"),
    "analytics": ("サイトの訪問者、顧客", "visitors of our sites, customers"),
    "insight": ("顧客", "customers"),
    "third_party_sharing": ("提供に同意した方", "people who agreed to it"),
    "statistics": ("サイトの訪問者、顧客", "visitors of our sites, customers"),
}
"""Kind of purpose → the categories of people whose data are used for it (GDPR 30(1)(c))."""

TRANSFERS: Words = {
    "scc": ("標準契約条項（46条）", "standard contractual clauses (46)"),
    "bcr": ("拘束的企業準則（47条）", "binding corporate rules (47)"),
    "dpf": ("データプライバシーフレームワーク（45条）", "Data Privacy Framework (45)"),
    "art49": ("明示の同意（49条）", "explicit consent (49)"),
    "jp_equivalent": ("基準適合体制（28条1項）", "equivalent system (28(1))"),
    "jp_consent": ("本人の同意（28条1項）", "the person's consent (28(1))"),
}

TRIGGERS: Words = {
    "last_activity": ("最後の取引・利用から", "after the last activity"),
    "contract_end": ("契約の終了から", "after the contract ends"),
    "consent_withdrawn": ("同意の撤回から", "after consent is withdrawn"),
    "purpose_end": ("目的の達成から", "after the purpose ends"),
    "collected": ("取得から", "after collection"),
}

ACTIONS: Words = {
    "erase": ("消去", "erased"),
    "anonymise": ("匿名化", "made anonymous"),
    "restrict": ("利用停止", "restricted"),
}

ORIGINS: Words = {
    "subject": ("本人から", "from the person"),
    "third_party": ("第三者から", "from a third party"),
    "public": ("公開情報から", "from public sources"),
}

SECURITY: tuple[tuple[str, str], ...] = (
    (
        "暗号化・仮名化：項目は本人ごとの鍵（AES-256-GCM）で封じ、識別子は鍵付きハッシュの索引でのみ検索する。",
        "Encryption and pseudonymisation: values are sealed under a key of each person (AES-256-GCM); identifiers are "
        "found by a keyed hash only.",
    ),
    (
        "鍵の分離：鍵束はデータベースとそのバックアップの外にあり、消去は鍵の破壊による（過去の写しも読めなくなる）。",
        "Keys apart: the keyring lies outside of the database and its backups; erasure destroys a key, so that old "
        "copies are dark too.",
    ),
    (
        "アクセス制御：目的・提供先・手段ごとに許可を判定し、開いた項目は提供の記録として残す。"
        "APIは宛先と目的ごとに登録した者のみ。担当者の閲覧には理由を要する。",
        "Access control: every use is decided for purpose, recipient and channel, and what is opened is on record; API "
        "clients are registered for a recipient and purposes; staff give a reason for every look.",
    ),
    (
        "完全性・説明責任：提供・同意・操作は改ざんを検知できる台帳に記録する。",
        "Integrity and accountability: disclosures, consent and operation stand in a ledger that shows tampering.",
    ),
    (
        "可用性：バックアップは鍵を含まず、復元時には消去を先に再現する。",
        "Availability: backups hold no key, and a restore repeats the erasures first.",
    ),
    (
        "組織的措置：委託先は契約と年1回の確認（GDPR 28条、法25条）を欠くと提供を止める。方針の変更は版として残る。",
        "Organisation: a processor without its contract or its yearly check gets nothing (GDPR 28, APPI 25); every "
        "change of the policies is a version on record.",
    ),
)
"""A general description of the measures that the product itself takes (GDPR 30(1)(g) and 32, APPI 23)."""

PROCESSOR_VIEW = (
    "該当なし：本システムは管理者自身の目的でのみ個人データを取り扱い、他の管理者のために処理しない（一つの設置に一つの管理者）。",
    "Not applicable: this deployment processes for its own controller only, never on behalf of another one.",
)
"""Article 30(2): there is one controller per deployment, and it is nobody's processor."""


def word(words: Words, name: str, language: str) -> str:
    """Return the word for a name, or the name itself."""
    return pick(words.get(name, (name, name)), language)


def pick(pair: tuple[str, str], language: str) -> str:
    """Return the half of a pair that is in this language."""
    return pair[LANGUAGES.index(language)]
