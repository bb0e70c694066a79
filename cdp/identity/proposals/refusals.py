"""Why nothing is trained, proposed or published: a closed set of reasons, each with its sentence in two languages."""

from typing import NamedTuple

from cdp.errors import Problem


class Sentence(NamedTuple):
    """What to tell whoever asked."""

    en: str
    ja: str


SENTENCES = {
    "proposals_off": Sentence(
        "Proposals are off: set `proposals: {enabled: true}` in policies/identifiers.yaml.",
        "名寄せ候補の作成は無効です。policies/identifiers.yaml に proposals: {enabled: true} と書いてください。",
    ),
    "no_purpose": Sentence(
        "The policy declares no purpose identity_matching for staff, so that nothing may be compared.",
        "利用目的 identity_matching が担当者向けに宣言されていないため、照合できません。",
    ),
    "model_changed": Sentence(
        "The model file is not the one that its version names: bring it back, or train anew.",
        "モデルファイルがその版の内容と一致しません。元のファイルに戻すか、学習し直してください。",
    ),
    "proposals_not_installed": Sentence(
        "Proposals need Splink, which is not installed: pip install 'sekisho[proposals]'.",
        "名寄せ候補の作成には Splink が必要です: pip install 'sekisho[proposals]' を実行してください。",
    ),
    "proposals_too_large": Sentence(
        "The tokens do not fit the memory that proposals may use, and are never written to a disk: raise the limit.",
        "トークンが名寄せ候補用のメモリーに収まりません。ディスクには書き出しません。上限を上げてください。",
    ),
    "too_few": Sentence(
        "There are too few people, or too few who resemble each other, to learn from.",
        "学習に足りる人数、または互いに似た人がいません。",
    ),
    "name_alone": Sentence(
        "Of these people only names are known, and a name alone never proposes.",
        "氏名しか分かっていません。氏名だけでは候補を出しません。",
    ),
    "not_trained": Sentence(
        "There is no model: run `cdp identity train`, and name its version as `model` in policies/identifiers.yaml.",
        "モデルがありません。cdp identity train を実行し、policies/identifiers.yaml の model に版を書いてください。",
    ),
    "other_tokens": Sentence(
        "The model was trained on tokens made in another way: train it anew.",
        "モデルは別の方式のトークンで学習されています。学習し直してください。",
    ),
    "prior_out_of_range": Sentence(
        "The model expects more pairs per person than is believable, or hardly any.",
        "モデルが想定する一人当たりの一致の数が、信じられる範囲にありません。",
    ),
    "level_not_observed": Sentence(
        "A step of a comparison was never seen among pairs that match: nothing is known of its weight.",
        "一致する組で一度も現れなかった比較段階があり、その重みが分かりません。",
    ),
    "agreement_speaks_against": Sentence(
        "An agreement is seen less often among pairs that match than among others: the model has learnt nonsense.",
        "一致した項目が、同一人物よりも別人で多く現れています。モデルの学習が誤っています。",
    ),
    "difference_speaks_for": Sentence(
        "A difference is seen more often among pairs that match than among others: the model has learnt nonsense.",
        "食い違いが、別人よりも同一人物で多く現れています。モデルの学習が誤っています。",
    ),
    "cluster_too_large": Sentence(
        "More people hang together by likely pairs than one person can be.",
        "候補のつながりが、一人の人物としては大きすぎます。",
    ),
    "too_many_touched": Sentence(
        "The proposals concern a larger share of all people than is allowed.",
        "候補に含まれる人の割合が、許された割合を超えています。",
    ),
}

_STATUS = {"proposals_not_installed": 501, "proposals_too_large": 507}


def problem(code: str) -> Problem:
    """Return a no that comes before any proposal, to be raised."""
    said = SENTENCES[code]
    return Problem(_STATUS.get(code, 409), code, said.en, extra={"ja": said.ja})
