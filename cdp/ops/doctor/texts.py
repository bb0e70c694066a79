"""The doctor's words, English and Japanese: what it is, why it hurts, what to do. Facts stand in braces."""

Text = tuple[str, str, str]

TEXTS: dict[str, tuple[Text, Text]] = {
    "refused": (
        (
            "{look}: it would not start",
            "{sentence}",
            "Do as it says.",
        ),
        (
            "{look}：起動できません",
            "{sentence}",
            "上の文のとおりに直してください。",
        ),
    ),
    "out_of_reach": (
        (
            "{look}: the {thing} is out of reach",
            "Every answer that needs it is 503.",
            "Check that it runs, and that its settings are right.",
        ),
        (
            "{look}：{thing} に届きません",
            "これに依る応答はすべて 503 になります。",
            "稼働と設定を確かめてください。",
        ),
    ),
    "unreadable": (
        (
            "{look}: it could not be looked at ({kind})",
            "What cannot be looked at may be broken.",
            "Check that the path exists and belongs to this user.",
        ),
        (
            "{look}：調べられませんでした（{kind}）",
            "調べられないものは壊れているかもしれません。",
            "パスと所有者を確かめてください。",
        ),
    ),
    "copy_missing": (
        (
            "the copy {path} of the keyring is missing or damaged",
            "One copy is left: lose it, and everybody's data is noise.",
            "Is its disk mounted? The next start or change writes it again.",
        ),
        (
            "鍵束の写し {path} がないか壊れています",
            "残る一つを失うと、全員のデータが読めなくなります。",
            "ディスクを確かめてください。次の起動か変更で書き直されます。",
        ),
    ),
    "copy_behind": (
        (
            "the copy {path} is of version {version}, and {newest} is the newest",
            "It would revive people who were erased since.",
            "Start anything (`cdp keys status`): the older copy is repaired.",
        ),
        (
            "写し {path} は版 {version} で、最新は {newest} です",
            "以後に消去した人がこの写しでは読めてしまいます。",
            "`cdp keys status` を実行すれば直ります。",
        ),
    ),
    "copies_foreign": (
        (
            "{paths} are of two keyrings",
            "The wrong one opens nothing, and may be written over the right one.",
            "Name the mirror of this keyring (CDP_KEYRING_MIRROR).",
        ),
        (
            "{paths} は別々の鍵束です",
            "間違った鍵束では何も開きません。",
            "この鍵束の写しを CDP_KEYRING_MIRROR に指定してください。",
        ),
    ),
    "keyring_alone": (
        (
            "there is one copy of the keyring",
            "Lose its disk, and everybody's data is noise.",
            "Set CDP_KEYRING_MIRROR to a path on another disk.",
        ),
        (
            "鍵束の写しが一つしかありません",
            "そのディスクを失うと、全員のデータが読めなくなります。",
            "CDP_KEYRING_MIRROR に別のディスクのパスを指定してください。",
        ),
    ),
    "mirror_on_same_disk": (
        (
            "the keyring and its mirror are on one disk",
            "One disk that fails takes both.",
            "Put the mirror on another one.",
        ),
        (
            "鍵束とその写しが同じディスクにあります",
            "一台の故障で両方を失います。",
            "写しを別のディスクに移してください。",
        ),
    ),
    "keyring_beside_database": (
        (
            "the keyring {path} is beside the database",
            "One copy of that folder holds both: erasure then darkens nothing.",
            "Put the keyring on another volume (CDP_KEYRING).",
        ),
        (
            "鍵束 {path} がデータベースの隣にあります",
            "そのフォルダの写し一つで両方が揃い、消去の意味がなくなります。",
            "鍵束を別のボリュームに移してください（CDP_KEYRING）。",
        ),
    ),
    "old_copy": (
        (
            "{path} stands for a copy of the keyring, {days} days old",
            "It revives who was erased since.",
            "Destroy the copy, then this file.",
        ),
        (
            "{path} は {days} 日前の鍵束の写しです",
            "以後に消去した人が読めてしまいます。",
            "写しを破棄し、このファイルも消してください。",
        ),
    ),
    "logs_differ": (
        (
            "{paths} differ",
            "A restored backup is cleaned by them: what one lacks may come back.",
            "Bring the lines together in both.",
        ),
        (
            "{paths} の内容が違います",
            "復元したバックアップはこれで消し直されます。欠けた分は戻ってきます。",
            "両方に全行を揃えてください。",
        ),
    ),
    "rotation_unfinished": (
        (
            "a rotation of the root began {days} days ago and is not finished",
            "The old root still opens what it opened.",
            "Run `cdp keys rotate`: it goes on where it stood.",
        ),
        (
            "鍵の根の交換が {days} 日前から終わっていません",
            "古い根がまだ生きています。",
            "`cdp keys rotate` を実行してください。続きから進みます。",
        ),
    ),
    "index_epochs": (
        (
            "the blind index has several live keys: {epochs}",
            "Old copies answer under each: “was this address here?”",
            "Run `cdp keys reindex`: it goes on where it stood.",
        ),
        (
            "索引の鍵が複数生きています：{epochs}",
            "古い写しに対して「この宛先はあったか」を試せます。",
            "`cdp keys reindex` を実行してください。続きから進みます。",
        ),
    ),
    "index_lost": (
        (
            "identifiers stand under keys of the blind index that are gone: {epochs}",
            "Who arrives does not meet who was there: they become two people.",
            "Run `cdp keys reindex` before anything is taken in. What it leaves is damaged.",
        ),
        (
            "すでにない索引の鍵で登録された識別子があります：{epochs}",
            "届いたデータが既存の本人と結び付かず、同じ人が二人になります。",
            "取り込みの前に `cdp keys reindex` を実行してください。残るものは壊れています。",
        ),
    ),
    "readable_by_others": (
        (
            "others may read {path}",
            "Any account of this machine can take it.",
            "Run `chmod 600 {path}`.",
        ),
        (
            "{path} を他の利用者が読めます",
            "このサーバーのどのアカウントからも持ち出せます。",
            "`chmod 600 {path}` を実行してください。",
        ),
    ),
    "writable_by_others": (
        (
            "others may write in {path}",
            "They can put a file of theirs in the place of ours.",
            "Run `chmod 700 {path}`.",
        ),
        (
            "{path} に他の利用者が書けます",
            "ファイルを差し替えられます。",
            "`chmod 700 {path}` を実行してください。",
        ),
    ),
    "disk_full": (
        (
            "less than 500 MB are free in {path}",
            "Nothing is taken in when it is full, and no erasure is done.",
            "Make room.",
        ),
        (
            "{path} の空きが 500 MB 未満です",
            "満杯になると受け取りも消去も止まります。",
            "空きを作ってください。",
        ),
    ),
    "no_tls": (
        (
            "CDP_BASE_URL {url} is not https",
            "Tokens and people's data travel in the clear.",
            "Put a proxy with TLS before it (docs/install.md).",
        ),
        (
            "CDP_BASE_URL {url} が https ではありません",
            "トークンと個人データが平文で流れます。",
            "TLS のプロキシを前に置いてください（docs/install.md）。",
        ),
    ),
    "several_on_sqlite": (
        (
            "several web processes on the embedded database",
            "Its writers queue in one process only.",
            "Run one, or use PostgreSQL.",
        ),
        (
            "組み込みデータベースに複数の web プロセスがあります",
            "書き込みの順番待ちは一つのプロセスの中だけです。",
            "一つにするか、PostgreSQL を使ってください。",
        ),
    ),
    "log_level": (
        (
            "CDP_LOG_LEVEL is {level}",
            "`debug` fills disks, `error` hides jobs that fail.",
            "Use info or warning.",
        ),
        (
            "CDP_LOG_LEVEL が {level} です",
            "debug はディスクを埋め、error はジョブの失敗を隠します。",
            "info か warning にしてください。",
        ),
    ),
    "no_backup": (
        (
            "no backup was made with `cdp backup`",
            "Lose the database, and only what sources send again comes back.",
            "Schedule one (docs/systemd/sekisho-backup.timer), or know that another tool makes it.",
        ),
        (
            "`cdp backup` によるバックアップがありません",
            "データベースを失うと、送り直された分しか戻りません。",
            "予定を組んでください（docs/systemd/sekisho-backup.timer）。",
        ),
    ),
    "backup_old": (
        (
            "the last backup is {days} days old",
            "Everything since would be lost with the database.",
            "Look why the schedule stopped: `systemctl status sekisho-backup`.",
        ),
        (
            "最後のバックアップは {days} 日前です",
            "以後のすべてを失いかねません。",
            "`systemctl status sekisho-backup` を確かめてください。",
        ),
    ),
    "restored_unreadable": (
        (
            "{path} is damaged",
            "It says when a backup was restored.",
            "See docs/restoring.md.",
        ),
        (
            "{path} が壊れています",
            "いつ復元したかの記録です。",
            "docs/restoring.md を見てください。",
        ),
    ),
    "restored": (
        (
            "a backup was restored on {day}: what people said after {since} UTC is lost in part",
            "People may be used against their word.",
            "Bring withdrawals and objections back from your sending tools: docs/restoring.md.",
        ),
        (
            "{day} に復元しました：{since} UTC より後の意思表示の一部が失われています",
            "本人の意思に反して使うおそれがあります。",
            "配信ツール等から撤回と異議を戻してください：docs/restoring.md",
        ),
    ),
    "tables_empty": (
        (
            "the database is empty",
            "There is nothing to serve.",
            "Run `cdp init`.",
        ),
        (
            "データベースが空です",
            "動かせるものがありません。",
            "`cdp init` を実行してください。",
        ),
    ),
    "tables_older": (
        (
            "the database is of an older Sekisho",
            "Nothing starts on it.",
            "Run `cdp backup`, then `cdp migrate`.",
        ),
        (
            "データベースが古い版です",
            "このままでは起動しません。",
            "`cdp backup` のあと `cdp migrate` を実行してください。",
        ),
    ),
    "tables_unknown": (
        (
            "the database was made by a newer Sekisho, or by something else",
            "Nothing starts on it.",
            "Install that version, or restore a backup made by this one.",
        ),
        (
            "データベースが新しい版、または別物です",
            "このままでは起動しません。",
            "その版を入れるか、この版のバックアップを復元してください。",
        ),
    ),
    "sqlite_damaged": (
        (
            "the database file is damaged",
            "What it answers may be wrong.",
            "Stop everything, keep the file, restore the last backup (docs/restoring.md).",
        ),
        (
            "データベースのファイルが壊れています",
            "応答が誤っているおそれがあります。",
            "止めてファイルを保全し、バックアップを復元してください（docs/restoring.md）。",
        ),
    ),
    "wal_large": (
        (
            "the write-ahead log has {size} MB",
            "A reader never ends, and deleted bytes stay in it.",
            "Look for a long-running command; restart the web process.",
        ),
        (
            "先行書き込みログが {size} MB あります",
            "終わらない読み手があり、消したバイトが残ります。",
            "長く動くコマンドを探し、web プロセスを再起動してください。",
        ),
    ),
    "postgresql_setting": (
        (
            "PostgreSQL runs with {setting} = {value}",
            "After a power cut an acknowledged withdrawal may be gone.",
            "Set {setting} = {wanted} and restart it.",
        ),
        (
            "PostgreSQL の {setting} が {value} です",
            "停電のあと、受け付けた撤回が消えるおそれがあります。",
            "{setting} = {wanted} にして再起動してください。",
        ),
    ),
    "postgresql_old": (
        (
            "PostgreSQL {version} is older than {oldest}",
            "It is not tested, and soon not mended.",
            "Upgrade it.",
        ),
        (
            "PostgreSQL {version} は {oldest} より古い版です",
            "試験の対象外です。",
            "更新してください。",
        ),
    ),
    "postgresql_encoding": (
        (
            "the database's encoding is {value}",
            "Names in other scripts cannot be stored.",
            "Make it anew with ENCODING 'UTF8', and restore a backup into it.",
        ),
        (
            "データベースの文字コードが {value} です",
            "他の文字の名前を格納できません。",
            "UTF8 で作り直し、バックアップを復元してください。",
        ),
    ),
    "postgresql_zone": (
        (
            "the database's time zone is {value}",
            "Whoever reads it by hand reads other times than the program.",
            "ALTER DATABASE … SET timezone TO 'UTC'.",
        ),
        (
            "データベースの時間帯が {value} です",
            "手で読む時刻が食い違います。",
            "ALTER DATABASE … SET timezone TO 'UTC' を実行してください。",
        ),
    ),
    "postgresql_superuser": (
        (
            "the program connects as a superuser of PostgreSQL",
            "A mistake in it could reach every other database.",
            "Use a role of its own (docs/install.md).",
        ),
        (
            "PostgreSQL の特権ロールで接続しています",
            "誤りが他のデータベースに及びます。",
            "専用のロールを使ってください（docs/install.md）。",
        ),
    ),
    "clock_years_behind": (
        (
            "the clock is years behind",
            "Consents and ends are read by it.",
            "Set it, and run NTP.",
        ),
        (
            "時計が何年も遅れています",
            "同意と期限の判断を誤ります。",
            "時刻を合わせ、NTP を動かしてください。",
        ),
    ),
    "clock_behind": (
        (
            "the clock is {seconds} s behind what was written already",
            "Ended consents and leases would hold again.",
            "Set it, and run NTP.",
        ),
        (
            "時計が記録より {seconds} 秒遅れています",
            "終わった同意やリースが生き返ります。",
            "時刻を合わせ、NTP を動かしてください。",
        ),
    ),
    "clock_apart": (
        (
            "this clock and the database's differ by {seconds} s",
            "Leases are judged by both machines.",
            "Run NTP on both.",
        ),
        (
            "このサーバーとデータベースの時計が {seconds} 秒違います",
            "リースの期限を両方で判断します。",
            "両方で NTP を動かしてください。",
        ),
    ),
    "ended": (
        (
            "{what} of {recipient} ended on {until}",
            "It gets nobody until that is renewed.",
            "Renew it, and say so in policies/recipients/.",
        ),
        (
            "{recipient} の{what}は {until} に終わりました",
            "更新するまで、誰のデータも渡されません。",
            "更新し、policies/recipients/ に書いてください。",
        ),
    ),
    "ends_soon": (
        (
            "{what} of {recipient} ends on {until}",
            "From then it gets nobody.",
            "Renew it in time, and say so in policies/recipients/.",
        ),
        (
            "{recipient} の{what}は {until} に終わります",
            "以後は、誰のデータも渡されません。",
            "期限までに更新し、policies/recipients/ に書いてください。",
        ),
    ),
    "worker_never": (
        (
            "no worker has ever said that it lives",
            "Nothing is sealed, and no request is carried on.",
            "Start `cdp worker`.",
        ),
        (
            "worker が一度も動いていません",
            "封印も請求の処理も進みません。",
            "`cdp worker` を起動してください。",
        ),
    ),
    "worker_silent": (
        (
            "no worker has said that it lives for {minutes} minutes",
            "Nothing is sealed, and no request is carried on.",
            "Start `cdp worker`; see its log.",
        ),
        (
            "worker の合図が {minutes} 分ありません",
            "封印も請求の処理も進みません。",
            "`cdp worker` を起動し、ログを見てください。",
        ),
    ),
    "job_failing": (
        (
            "the worker's job {job} failed {times} times in a row",
            "What it does is left undone.",
            "See the worker's log for `job_failed`.",
        ),
        (
            "worker のジョブ {job} が {times} 回続けて失敗しました",
            "その仕事が止まっています。",
            "worker のログの job_failed を見てください。",
        ),
    ),
    "unsealed": (
        (
            "the ledger has not been sealed for {minutes} minutes",
            "Until then an entry is protected by a key of this deployment only.",
            "Start `cdp worker`.",
        ),
        (
            "台帳が {minutes} 分封印されていません",
            "それまで記録はこの環境の鍵だけで守られます。",
            "`cdp worker` を起動してください。",
        ),
    ),
    "people_wait": (
        (
            "{people} people wait to be decided again; they count as a no",
            "Tools get fewer people than they may.",
            "Start `cdp worker`.",
        ),
        (
            "{people} 人が再判定を待っています（それまで不可）",
            "渡してよい人のデータまで渡りません。",
            "`cdp worker` を起動してください。",
        ),
    ),
    "requests_overdue": (
        (
            "{count} requests of people are overdue",
            "The law says when.",
            "Answer them today.",
        ),
        (
            "{count} 件の請求が期限を過ぎています",
            "期限は法律が定めています。",
            "今日、回答してください。",
        ),
    ),
    "breach_overdue": (
        (
            "breach {id}: {duty} was due on {due}",
            "Late is a breach of the law too, and needs its reason (GDPR 33(1), APPI 26).",
            "Do it now, then `cdp breach report {id}`.",
        ),
        (
            "漏えい等 {id}：{duty} の期限（{due}）を過ぎています",
            "遅れ自体が違反で、理由の説明が要ります（GDPR 33(1)、個人情報保護法26条）。",
            "直ちに行い、`cdp breach report {id}` で記録してください。",
        ),
    ),
    "breach_pressing": (
        (
            "breach {id}: {duty} is due on {due}",
            "Little time is left.",
            "Do it, then `cdp breach report {id}`; docs/breaches.md.",
        ),
        (
            "漏えい等 {id}：{duty} の期限は {due} です",
            "残り時間がわずかです。",
            "行って、`cdp breach report {id}` で記録してください（docs/breaches.md）。",
        ),
    ),
    "breach_due": (
        (
            "breach {id}: {duty} is due on {due}",
            "The clock runs, also over weekends.",
            "See `cdp breach show {id}`.",
        ),
        (
            "漏えい等 {id}：{duty} の期限は {due} です",
            "期限は週末も進みます。",
            "`cdp breach show {id}` を見てください。",
        ),
    ),
    "leases_unclosed": (
        (
            "{pages} pages were never closed",
            "Each counts as disclosed; many mean that web processes die or are too slow.",
            "See the web process's log.",
        ),
        (
            "{pages} ページが閉じられていません",
            "開示として数えます。多ければ web プロセスが落ちているか遅すぎます。",
            "web プロセスのログを見てください。",
        ),
    ),
    "ledger_forked": (
        (
            "the newest signed head of the database is not the published one",
            "Somebody changed the ledger, or a foreign copy was put here.",
            "Run `cdp ledger verify`; keep both files.",
        ),
        (
            "データベースの最新の署名済みツリーヘッドが公開されたものと違います",
            "台帳が変えられたか、別の写しです。",
            "`cdp ledger verify` を実行し、両方のファイルを保全してください。",
        ),
    ),
    "ledger_behind": (
        (
            "heads were published that the database does not know",
            "It is older than what was published: a restored backup?",
            "Run `cdp ledger verify`; after a restore with --accept-restart.",
        ),
        (
            "公開済みのツリーヘッドをデータベースが知りません",
            "公開より古い写しです。復元しましたか。",
            "`cdp ledger verify`（復元後は --accept-restart）を実行してください。",
        ),
    ),
    "record_incomplete": (
        (
            "{count} fields of the record of processing are empty: {first}",
            "An authority may ask for the record at any time (GDPR 30(4)).",
            "Fill in the files that `cdp records --check` names.",
        ),
        (
            "個人データの取扱い記録に空欄が {count} 件あります：{first}",
            "監督機関はいつでも記録を求めることができます（GDPR 30条4項）。",
            "`cdp records --check` が示すファイルを埋めてください。",
        ),
    ),
    "provenance_unconfirmed": (
        (
            "a third party provides {source}, and nobody confirmed who that is and how they acquired the data",
            "Data of an unknown origin may not be used (APPI 30).",
            "Run `cdp connector confirm {source}`, or remove the source.",
        ),
        (
            "{source} は第三者から提供を受けていますが、提供者と取得の経緯が確認されていません",
            "確認していないデータは利用できません（個人情報保護法30条）。",
            "`cdp connector confirm {source}` で記録するか、取得元を外してください。",
        ),
    ),
    "notice_14_due": (
        (
            "the people of {source} must be told where their data come from, by {due}",
            "Whoever has data from others tells the people within a month (GDPR 14(3)).",
            "Tell them, then run `cdp connector notified {source}`.",
        ),
        (
            "{source} の本人に取得元を {due} までに知らせる必要があります",
            "本人以外から取得した場合は1か月以内に知らせます（GDPR 14条3項）。",
            "通知してから `cdp connector notified {source}` を実行してください。",
        ),
    ),
    "identity_not_taken_up": (
        (
            "policies/identifiers.yaml is another than people are resolved under",
            "Nobody is joined or parted by what it says now.",
            "See who would be: `cdp identity rebuild --dry-run`; then without it.",
        ),
        (
            "policies/identifiers.yaml が、いま使われている名寄せの設定と異なります",
            "新しい内容では誰も統合も分離もされていません。",
            "`cdp identity rebuild --dry-run` で影響を確かめ、続けて本番を実行してください。",
        ),
    ),
    "identity_not_rebuilt": (
        (
            "not everybody was resolved under the present configuration of identifiers",
            "Some are one person who would be two, or two who would be one.",
            "Run `cdp identity rebuild`; it may be interrupted and begun again.",
        ),
        (
            "現在の名寄せ設定がまだ全員に適用されていません",
            "一人とすべき人が分かれ、別人とすべき人が一人になっている可能性があります。",
            "`cdp identity rebuild` を実行してください（中断・再開できます）。",
        ),
    ),
    "source_on_hold": (
        (
            "the source {source} is on hold: it made too many people one",
            "What it brings is kept, and joins nobody.",
            "Look at the case: `cdp identity cases`, then decide `release` or `keep`.",
        ),
        (
            "データ元 {source} は保留中です（短時間に多くの人を統合したため）",
            "届いたデータは保存されますが、誰とも統合されません。",
            "`cdp identity cases` で確認し、`release` か `keep` を決めてください。",
        ),
    ),
    "cases_waiting": (
        (
            "{count} cases of identity wait for a decision",
            "Nobody is joined by what is held.",
            "`cdp identity cases` lists them.",
        ),
        (
            "名寄せの判断待ちが {count} 件あります",
            "保留中のデータでは誰も統合されません。",
            "`cdp identity cases` で一覧できます。",
        ),
    ),
}
