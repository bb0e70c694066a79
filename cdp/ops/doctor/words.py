"""The doctor's names of what it looks at, in Japanese; a name that is not here is the same in both languages."""

from cdp.rights.breach import TITLES

WORDS = {
    "keyring": "鍵束",
    "old copies of the keyring": "鍵束の古い写し",
    "who is who": "名寄せ",
    "logs beside the keyring": "鍵束の隣の記録",
    "keyring and database belong together": "鍵束とデータベースの対応",
    "keys that are retired": "使い終えた鍵",
    "keys of the blind index": "索引の鍵",
    "files": "ファイルの権限",
    "disks": "ディスクの空き",
    "address": "公開アドレス",
    "backups": "バックアップ",
    "restored backups": "復元したバックアップ",
    "tables": "テーブル",
    "database": "データベース",
    "clock": "時計",
    "policies": "方針",
    "contracts and checks": "契約と年次の確認",
    "record of processing": "個人データの取扱い記録",
    "origins of data": "データの取得元",
    "contract": "契約",
    "check": "年次の確認",
    "worker": "ワーカー",
    "work that waits": "待っている仕事",
    "breaches": "漏えい等の登録簿",
    "ledger": "台帳",
} | {english: japanese for _, japanese, english in TITLES.values()}
