"""Old and variant kanji of names, each with the one that it is compared as (旧字体, 異体字).

For comparing only: nobody's name is ever written so. 斎 and 斉 are different characters, but whoever types
a name mixes them up; they count as one here. One character stands for one character, and never for a second.
"""

from collections.abc import Mapping

_PAIRS = """
髙高 﨑崎 嵜崎 邊辺 邉辺 齋斉 齊斉 斎斉 濱浜 濵浜 澤沢 櫻桜 廣広 嶋島 嶌島 眞真 𠮷吉 德徳 冨富 峯峰 舘館 舩船 栁柳
桺柳 槇槙 槗橋 𣘺橋 籔薮 藪薮 萬万 壽寿 惠恵 榮栄 國国 圀国 學学 實実 寶宝 寳宝 將将 專専 從従 戀恋 應応 懷懐 數数
會会 條条 來来 樂楽 樣様 權権 歐欧 歸帰 殘残 氣気 涉渉 淨浄 淸清 淺浅 渕淵 渊淵 溫温 滿満 潛潜 澁渋 澀渋 濟済 濤涛
瀨瀬 瀧滝 燈灯 爲為 狹狭 獨独 瑤瑶 畫画 當当 發発 祿禄 禮礼 禪禅 稻稲 穗穂 穰穣 竝並 絕絶 經経 綠緑 繩縄 總総 縣県
聰聡 聽聴 肅粛 舊旧 莊荘 萠萌 薰薫 藏蔵 藥薬 螢蛍 衞衛 裝装 讓譲 豐豊 貳弐 賴頼 轉転 邨村 郞郎 鄉郷 鄕郷 釋釈 鐵鉄
銕鉄 鑛鉱 關関 隱隠 靜静 顏顔 顯顕 飮飲 鷗鴎 靏鶴 靍鶴 鸖鶴 鷄鶏 鹽塩 麥麦 黃黄 黑黒 點点 黨党 齡齢 龜亀 髮髪 鬪闘
驛駅 驗験 驅駆 體体 曻昇 昻昂 曉暁 暎映 凉涼 凜凛 凞熙 熈熙 劍剣 劒剣 劔剣 劎剣 剱剣 勳勲 卷巻 參参 吳呉 喆哲 囘回
圖図 團団 埜野 堯尭 壹壱 壻婿 奧奥 奬奨 獎奨 孃嬢 寬寛 寢寝 對対 尙尚 峽峡 嶽岳 巖巌 巢巣 帶帯 廳庁 彈弾 彌弥 彥彦
惡悪 戶戸 戰戦 戲戯 拂払 拔抜 擇択 擴拡 收収 敍叙 敘叙 敎教 斷断 晚晩 晝昼 曆暦 曾曽 晉晋 栢柏 桒桑 檜桧 橫横 檢検
步歩 每毎 渴渇 濕湿 灣湾 焰焔 祢禰 疊畳 盜盗 硏研 碎砕 礒磯 稅税 稱称 粹粋 緖緒 緣縁 纖繊 羣群 聲声 膽胆 腦脳 臟臓
臺台 與与 苅刈 艸草 萊莱 蔣蒋 薗園 蘆芦 處処 虛虚 號号 蟬蝉 蠣蛎 覺覚 覽覧 觀観 觸触 謠謡 證証 譯訳 讀読 變変 譽誉
豬猪 贊賛 辭辞 遙遥 遲遅 醫医 釀醸 錄録 鍊錬 鎭鎮 鑄鋳 閒間 閱閲 陷陥 隨随 險険 隸隷 雜雑 靑青 頰頬 餘余 騷騒 驒騨
鰺鯵 鴈雁 鶯鴬 鹼鹸 麵麺 齒歯 龍竜 圓円 圡土 𠀋丈 兔兎 亙亘 俱倶 假仮 傳伝 兒児 兩両 內内 册冊 剝剥 剩剰 勵励 勞労
效効 卽即 單単 嚴厳 囑嘱 圍囲 壓圧 壘塁 壞壊 增増 墮堕 壯壮 姬姫 寫写 屆届 屛屏 屬属 幷并 瓣弁 辨弁 辯弁 徑径 恆恒
悅悦 惱悩 慘惨 愼慎 戾戻 拜拝 挾挟 搖揺 攝摂 擊撃 據拠 擧挙 擔担 查査 杤栃 樞枢 槪概 樓楼 歷歴 歲歳 殼殻 毆殴 沒没
滯滞 爐炉 爭争 犧犠 獸獣 獵猟 狀状 產産 癡痴 盡尽 祕秘 竊窃 續続 繼継 脫脱 莖茎 藝芸 蠶蚕 蠻蛮 說説 豫予 賣売 踐践
輕軽 遞逓 醉酔 銳鋭 錢銭 雙双 霸覇 靈霊 顚顛 飜翻 髓髄 麴麹 默黙 缺欠 絲糸 蟲虫 佛仏 價価 區区 乘乗 亂乱 亞亜 逹達
瘦痩 簞箪 簑蓑 籠篭 諌諫 賎賤 踪蹤 鉤鈎 鋪舗 閧鬨 靭靱 頸頚 鰮鰯 麪麺 黏粘
"""

FOLDED: Mapping[str, str] = {pair[0]: pair[1] for pair in _PAIRS.split()}
"""Variant → the character that it is compared as."""
_TABLE = str.maketrans(dict(FOLDED))


def fold_variants(value: str) -> str:
    """Return the text with variant kanji written as the usual ones, and 々 as what it repeats (佐々木 = 佐佐木)."""
    folded: list[str] = []
    for char in value.translate(_TABLE):
        folded.append(folded[-1] if char == "々" and folded else char)
    return "".join(folded)
