"""The charsets that file names come in, and how likely each of their characters is.

A character counts as many bits as -log2 of its share in text. The most frequent ones are listed in order, and their bits follow from the place in
the list (Zipf's law). What is not listed is weighed by the area of the charset's code table where it stands: these areas go by frequency themselves.
The lists were counted in translations of programs and mixed with words that names of images are made of; ``test_charsets`` shows their worth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import log2

UNKNOWN_BITS = 22.0
RARE_BITS = 16.0
"""A character of two bytes in UTF-8 that is in none of its alphabets."""


@dataclass(frozen=True, slots=True)
class Area:
    """Two-byte codes from lead byte ``first`` to ``last`` whose second byte is ``trail`` or more."""

    first: int
    last: int
    trail: int
    bits: float


class Script(Enum):
    """What a charset adds to ASCII."""

    CHARACTERS = "Chinese, Japanese or Korean characters"
    LATIN = "Latin letters with accents"
    ALPHABET = "an alphabet of its own"
    ALL = "everything"


@dataclass(frozen=True, slots=True)
class Charset:
    codec: str
    prior_bits: float
    """How seldom names come in it at all."""
    script: Script = Script.CHARACTERS
    frequent: str = ""
    letters: tuple[tuple[str, float], ...] = ()
    """Characters with the bits that each of them costs."""
    areas: tuple[Area, ...] = ()
    _bits: dict[str, float] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self._bits.update((character, 4.5 + 0.63 * log2(rank)) for rank, character in enumerate(self.frequent, 1))
        for characters, bits in self.letters:
            self._bits.update(dict.fromkeys(characters, bits))

    def bits(self, character: str) -> float:
        """For a character beyond ASCII."""
        known = self._bits.get(character)
        return self._area_bits(character) if known is None else known

    def _area_bits(self, character: str) -> float:
        code = character.encode(self.codec, "replace")
        if len(code) != 2:
            return UNKNOWN_BITS
        return next((area.bits for area in self.areas if area.first <= code[0] <= area.last and code[1] >= area.trail), UNKNOWN_BITS)


SIMPLIFIED = (
    "图片照猫像截屏我的新文测试微信头狗不用件数无在法中是名一有个字为表出时语行符示作定设未本使据标程分选包式大格置命项上目部动了建户打重认对下可小到子能输果系要发列同版效和地成最记改入合证录错以统复服指安"
    "存或者结于单已告主档会工印器马路国始生将值取号类进日计误确意相机面析参视罗页西窗修州何型完接加素模终显引描构制份高除尔原样菜收失间序例员南过音手道提没支他都前报被令北树们影公流活市插议传首校水光频封资"
    "内情美息台东架详配册库正人白务电组游历产身景客后周简林护风月区幕天背汉海你订深拉年位画家山河竖爱门纸多扫王车老张谢黑如夏败副商笔胡料星横红称城广索湾脑京学武花蓝港绿品稿密朱木毕湖香乐韩业云唐宣杭街黄开"
    "戏培女孙宝庆房春桥茶草友杨酒司吴宋梁秋雪飞鱼鸟壁旅李漫糕陈食冬刘医厅咖啡圳她婚孩屋师徐朋材男票船蛋衣训课赵郑郭院雨鞋餐饭更度所省码关应空查斯签量需并读持创您写换则现键此变当从否必亚理请操删解象克达特钥"
    "交编软义须含默找态节来只里这许非处移函转启方该外执期略它回状串段块自获知性色其共口第检限代任之允点条超尼长属通但次容卡布全径警识匹阿运与比别准利归向调而消备载源级连问退止链按元束装集经体巴每忽德至由线"
    "规排明端域化缺题整保少纳权基展注给等围求址缓范返择得宽算缩志冲瓦因事带兰书验询维闭萨太锁具替添助扩隔供科起跳访塔环伊边普压送实触仅且言管导常放框联预禁话仓塞约平丁群二搜远盖两清临跟也偏说？辑句右述控译"
)
TRADITIONAL = (
    "圖片照貓像截擷我的新文測試頭狗用不檔無語定數案法中示名設是在式有列取件一字使選目時個資為指本未出項分動格程表訊結標位入大元合要料行輸會下工子果小上發生包單了視成系最以效稱錯可機作印相證路國告到部統號修"
    "或已命顯手始傳面主服複完封改存影誤地和原馬能頁區確何範除份錄西增提析於羅計日將引組意布素音產白值高符描他終景者人例開你水情美流員南身樹報收詳公們幕構約畫背令電月螢訂首模業沒認東道歷北家前林對護天據愛臺"
    "如光周張插桌副議年戶星置間王重學門後活正校海夏掃客市老品商綠藍紅黑城山型腦風木港花衣失宣廣冬樂胡鍵支灣畢香度女漫簿草陳黃吳孫河票車遊戲旅酒友湖秋街雄雪雲魚鳥加孩寶朋李材楊食劉司咖啡她婚履師廳徐春朱橋男"
    "糕練船茶菜蛋訓課趙郭醫院雨鞋飛飯餐建更版否過碼所變預內敗來立亞啟執空記寫理多參讀應類被請交鑰這器此解需態拉體得物至移則狀編從您串換庫連方進同非端金套第徑代之期略關自並序找爾只索斯含回準色援按當處容簽刪"
    "安明克性共塊次其線警該裝與別窗制息籤群整尼等密利特義規而長任束源載轉點向知寬由忽古外現製欄比全擇併停查每接縮配及必信排檢條但限址止屬少段具巴域題清基須放它許尋達遠伺級阿樣驗暫通求保邊卡供快里經控算圍鈕"
    "軟德衝備憑允蘭譯隔量權離識化因顏給尾直註章留功平函壓右太追替送缺說維先境儲憶做左實閉搜底盤兩常補瓦蹤消網納超棄管鎖覆述游附跳切起輯二繪受即島突強依偏損反尚調集蓋且形斷異齊匯塔也些翻映話廢決垂展舊都"
)
KANJI = (
    "写真画像猫犬新表定用名数行語使設一中正書前込文指示内不合力字式終動子最効列要能無生証大出上値変見付後失理時下空成作先敗保加覧必入更対日求予構除実取結許場未在右規左可本型有類存読関置族高明間修月景人供背"
    "北達渡東電十物引業年辺紙積事会話了称地版削道図険学再山資海品案貼社川都木風京士請佐夏富林沖田秋縄花運阪食鳥員家料旅申伊免冬卒友吉商婚店春村校桜橋藤誕車鈴雪駅魚号認鍵外開配告報形期番方続検同警接情現照義"
    "化部共得換長限位複目制的発性切以全選国信含択準問参所算約分索致識標囲署当者視始解記返受小範追和状演別持法処張態通単集利色確代個際向起完自初属止幅適送拡縮項想非回計応意端圧常順度印割整移元容権素命機他暗"
    "異多重古区待進違境果線令決言側操種特体次装詳序秒点例各互細連直録既展並呼頭査島復改停環白替条件題二否扱描依末足隔統訳辞述与翻領刷破刻象庫挿域符組御様知量格影注壊密来済超帰句優戻継尾相釈両略親誤平手強比"
    "試備省遅副矢管拒提競補基探答過仮係州旧界響秘閉南公少英短等諸較主断何延築納論承押説反析周固味浮層水余安価第音詰垂損経身功残消由登棄増封段筒製避隠去低却負倍今調転民編近埋造宣推須落似監絶逆面黙専突立繰併"
    "精抽禁速及毎留般離差評飾因疑偽害従王討退原抑添考邦任冗昇桁横護助寄折昧曖混緒途奨局西降減率遷循括挙放総透候収縦被跡到廃弧排歴殊稼履永況純角路週均極欠曜独衝乗深満滅貫越隣頼伸働妥己巻打捗曲源然箱累岐盾矛"
)
HANGUL = (
    "사진이그림지새고양스크린다니을수에는로를하없가일의정파서음습리인시자한은아문어제기상부용름표함합바력나식명여경행도면할트구비목과록료화미조원내장우주복안분와본커계최더결임확국처오증종신영생산배션위약폴"
    "완피직터않족강등울교년월회민늘김혼겨박있샷학친눈품캡봄윤녕꽃드대보만으값옵치모프실작해패입데형전소키버중된설업디되요라들열세메블성못개적출레호변동류테령거잘번야마브환단필렉타태했체현코추연너유간공재읽"
    "무항베반러당포르선십때색었알또줄페려래속방른능절접랜럼저백텍참카칼퍼검법템각건준두덱택았끝초밋발매티링든램게쓰예쪽클활져젯찾같됨널운숫렬플축역집권근릴쓸삭올딩룹것글닙젝관토규범허병청통향째볼따순헤슬압"
    "맞길언롤꾸창턴받별외격잭석콘런남암뒤컨뉴루됩말막및불케까투존쿼후듈심노될네움립셀돌점붙셸컬히릭빠캐웨잠금꿀누칙졌냅많독픽꼴며셋닌뷰왼앞께듭살빈밀충닫취콜벗큰감워란님날탭편달채묶켓갈쇄효특차핑응났높뜀춤"
    "윈락퀀긴롯슈엔먼침델손벨덮넣랑싱떤략섬씁짜급혹갑깁객꿈낼덤련질칠벤탈견귀깃술캘넘논납짐릿푸봉량머책첫롬애탄탐획꿉쿠폭갯옴컴틀큼북섹송잡룰릅므힌람액옛롭엘괄핸겟뀌론옮핀멈줌륨맨물온틴랍럭빌답맵끊율줍큽튜"
    "깅난멀숨탬썬웃홈놓률횟골총웁칸판눌렇밍빼즈짧황덴징팅풀렸짝톡팔멤둘랫맥쉼얼쳐칭킨럽묵밑폼겠몇휴겹깊왕평갱군망맷쉘짓팝균끄떼천헝몬끌뜁콤뀐냄넷닥멘봅써킷펴걸냐닉몰얻즉춥큐험뛰즘측냈몽왔죽칩킹덜렌좌찬낸둡"
)
HIRAGANA = "".join(map(chr, range(0x3041, 0x3094)))
KATAKANA = "".join(map(chr, range(0x30A1, 0x30F7))) + "ー"
HALF_WIDTH_KATAKANA = "".join(map(chr, range(0xFF61, 0xFFA0)))
FULL_WIDTH = "　、。，．・：；？！～（）［］「」『』【】《》〈〉〔〕…—–“”‘’×＋－＝＿＆＠＃" + "".join(
    map(chr, [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)])
)
RUSSIAN = "оеаинтрслвкпдмуязьыйбчгжфцхюшщэёъіїєґ"
GREEK = "αοετινσρμηπκυςλίγδήέάόχωθφύβώξζψϊϋ"
HEBREW = "יוהתלמראנבשקפדסגטעחםןכצזךץף"
ARABIC = "اليمروتةنفدسعبحقكجصأطهخإشذغزضىثئءظؤآ"
THAI = "ารอกนมเ่้ลงดัีติสบยวแไ์ทคขปหจพูะชืโซำุใฟถ็ณผภธษฐศญ"
MARKS = (("ðþýÿ¿¹", 14.0), ("–’€©°®", 10.0), ("—‘“”«»·…²³º½§´", 12.0), ("\xa0", 11.0))


def _latin(codec: str, prior_bits: float, frequent: str, others: str = "") -> Charset:
    """A charset of Latin letters. The small letters are given; the capitals cost more."""
    letters = ((frequent.upper(), 9.5), (others.upper(), 11.5), (frequent, 7.5), (others, 8.5), *MARKS)
    return Charset(codec, prior_bits, Script.LATIN, letters=letters)


def _alphabet(codec: str, prior_bits: float, letters: str) -> Charset:
    """A charset of another alphabet than the Latin one. Its letters are given by frequency; capitals cost more."""
    ranked = [(letter, 3.2 + 0.16 * rank) for rank, letter in enumerate(letters, 1)]
    return Charset(codec, prior_bits, Script.ALPHABET, letters=(*MARKS, *((letter.upper(), bits + 2.5) for letter, bits in ranked), *ranked))


_EXTENDED = "āăąćĉċčďđēėęěğġģħīįıķĺļľłńņňōőŕřśşšţťūůűųźżžșțơưə"
_LATIN_LETTERS = (
    ("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽČŁĐŞİŐŘ", 9.5),
    ("àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþßœ", 7.5),
    (_EXTENDED.upper(), 10.5),
    (_EXTENDED, 8.5),
    ("̧̀́̂̃̈̊̌", 6.5),
)
_JAPANESE = ((HIRAGANA, 6.0), (KATAKANA, 6.5), (FULL_WIDTH, 10.0))
CHARSETS = (
    _latin("cp1252", 0.0, "äöüßéèàçñáíóúãêôåøæ", "âëîïûùìòõœýšž"),
    Charset(
        "gb18030",
        0.0,
        frequent=SIMPLIFIED,
        letters=((FULL_WIDTH, 10.0),),
        areas=(Area(0xB0, 0xD7, 0xA1, 12.5), Area(0xD8, 0xF7, 0xA1, 17.0), Area(0xA1, 0xA3, 0xA1, 15.0), Area(0xA4, 0xA9, 0xA1, 16.0)),
    ),
    Charset(
        "cp932",
        0.0,
        frequent=KANJI,
        letters=(*_JAPANESE, (HALF_WIDTH_KATAKANA, 9.5)),
        areas=(Area(0x88, 0x97, 0x40, 12.0), Area(0x98, 0xEA, 0x40, 17.0), Area(0x81, 0x84, 0x40, 16.0)),
    ),
    Charset(
        "cp950",
        1.0,
        frequent=TRADITIONAL,
        letters=((FULL_WIDTH, 10.0),),
        areas=(Area(0xA4, 0xC6, 0x40, 12.5), Area(0xC9, 0xF9, 0x40, 18.0), Area(0xA1, 0xA3, 0x40, 15.0)),
    ),
    Charset("cp949", 1.5, frequent=HANGUL, areas=(Area(0xB0, 0xC8, 0xA1, 14.0), Area(0xCA, 0xFD, 0xA1, 18.0), Area(0xA1, 0xAF, 0xA1, 17.0))),
    Charset(
        "euc_jp",
        3.0,
        frequent=KANJI,
        letters=_JAPANESE,
        areas=(Area(0xB0, 0xCF, 0xA1, 12.0), Area(0xD0, 0xF4, 0xA1, 17.0), Area(0xA1, 0xA8, 0xA1, 16.0)),
    ),
    _alphabet("cp1251", 1.0, RUSSIAN),
    _latin("cp1250", 2.0, "ąćęłńóśźżáčďéěíňřšťúůýžőűöüäß", "ôăâîşţđ"),
    _latin("cp1254", 2.0, "çğıöşü", "âîû"),
    _alphabet("cp1253", 4.0, GREEK),
    _alphabet("cp1255", 3.0, HEBREW),
    _alphabet("cp1256", 3.0, ARABIC),
    _alphabet("cp874", 3.0, THAI),
    Charset("latin_1", 40.0, Script.LATIN),
)
"""In the order that decides between equals. The last one reads everything."""
UTF8 = Charset(
    "utf-8",
    -6.5,
    Script.ALL,
    letters=((RUSSIAN.upper() + GREEK.upper(), 7.0), (RUSSIAN + GREEK + HEBREW + ARABIC, 5.5), *_LATIN_LETTERS, *MARKS),
    areas=(Area(0xC2, 0xDF, 0x80, RARE_BITS),),
)
"""For texts whose characters beyond ASCII all take two bytes: these can be Chinese too, 图片 in GBK for one."""
LABELS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso8859_15",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "cp936": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
    "cp950": "cp950",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "ms-kanji": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949",
    "ks-c-5601-1987": "cp949",
    "cp949": "cp949",
    "windows-949": "cp949",
    "windows-1250": "cp1250",
    "iso-8859-2": "iso8859_2",
    "windows-1251": "cp1251",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "iso-8859-5": "iso8859_5",
    "windows-1253": "cp1253",
    "iso-8859-7": "iso8859_7",
    "windows-1254": "cp1254",
    "iso-8859-9": "cp1254",
    "windows-1255": "cp1255",
    "iso-8859-8": "iso8859_8",
    "windows-1256": "cp1256",
    "iso-8859-6": "iso8859_6",
    "windows-1257": "cp1257",
    "windows-1258": "cp1258",
    "windows-874": "cp874",
    "tis-620": "cp874",
}
"""Names that senders give to charsets (https://encoding.spec.whatwg.org/#names-and-labels), and the codec that reads each as browsers do."""
