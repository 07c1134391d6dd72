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
    "图片照猫像截屏我的新文测试微信头狗用件不数无在法中是出有时名一个行字为表语符定使可标能选式示作指设未本置项据程目分包对大到输格要列模效和命上入录错以部动存了建或户打于已重认下小子码器果空系发将值签取号"
    "类同版进地写成现最记误改参合证象型统接复特钥交服加安者节结显引单制告许除主尔档失间序过执会工提没支印自前被令代马路点内国条息配始库正务组布生后运区拉位日计多如败称索密确意相机面开析更明度所视罗页省关西"
    "窗修州何应完查兰斯太锁量素需并终读持创描您构导份高换则键此变约当从原盖样菜说收否必亚例员南盘旧理音手道请操希古他都删报解托真北树们影界雷克公流活市插议达传快首校望奇水光乌频封资好情美编台东软架详义册须"
    "含人默白电游历产身景尚物想找客周态简林护风沙月览来箭只幕鼠天背里摩汉典梅这海你订深瓜丹年福画家术山河竖落桌森松爱门纸扫王车非老处张站谢黑纹绍移夏荷副商技笔函亮胡彩转介料轮极启星横红萄葡闪黎方匙城广湾脑"
    "世悬京龙学武花蓝港绿蜂品稿渡叉朱冰木毕灯该章川湖艺谷教泊香乐场球韩业云唐宣峡摄杭苹街黄戏晚橙欢牛丽培女孙宝庆房春桥竹茶草迹银外期略友杨火酒阳司吴夕夜宋桃梁梨熊秋菊雪飞鱼鸟鹿它企刀壁旅李漫糕虎陈食兔冬凤"
    "刘医厅咖啡啤圳奶她妙婚孩宇宙屋崖帆师帘幸床徐恐昏朋杏材杯柠梦椅樱檬汽淇淋溪滩漠瀑炉烤烧牡狮狼猪猴玫瑰男碗祝票筷粽糖羊船莓营蕉虹蚁蚂蛇蛋蜜蝴蝶衣训课赵郑郭铁锅院雨霞鞋餐饭饺饼鸡鸭鸽鹅鹉鹦龟回状串段块获知"
    "性色其共口第检限任之允超尼长属通但次容卡全径警识匹阿与比别准利归向调而消备载源级连问退止链按元束装集经体巴每忽德至由线规排端域化缺题整保少纳权基展注给等围求址缓范返择得宽算缩志冲瓦因事带书验询维闭萨具"
    "替添助扩隔供科起跳访塔环伊边普压送实触仅且言管常放框联预禁话仓塞平丁群二搜远两清临跟也偏？辑句右述控译坏功直缀些及补左断立奥留距受钮岛形哈响然颜突储洛先切映继齐即尾覆恢弃县反姆待角停初见续波境踪根吉埃"
    "递损异栏那销贝增强登板帮套秒郡什府绝尝米聚卢翻协把藏层零享圣释依射还附总致丢种细鲁莱决莫再离步若勒考诺足较十帕推兼隆够网英词夫苏速死赖滚策击戈暂隐填曼划母另适哥声升额互兹吊威滤充拒括阅差恩焦博才做迪伯"
)
TRADITIONAL = (
    "圖片照貓像截擷我的新文測試頭狗用檔不無語定案法數在式有時中示名設是指字出使選列取件一目個為行項標位可入資元本要未能輸分動格程表訊結大以合模效稱錯作料到碼號或已顯會執存下誤工空子果小寫和上發生包單區交鑰"
    "了除錄提視於物成系將引組最值符者機開印相證路代國自告部統簽令修明沒前對命如手始傳面主置間重後服特複正完封改型失鍵支度影加建更版點否過地古現原所變馬條預頁確內何範敗來立份許亞西增啟析快羅計蘭日記意章布素"
    "理太多參音產說讀應白類高盤被請描他這終景器此鎖解人例需態尚蓋拉你水情舊美體流員南好身真樹報得至收移運詳則公界們覽介幕想狀編構約導從烏簡箭您節畫背串摩電月螢訂希首業鼠換認彩庫東道望歷北家連林沙落陽方進護"
    "同非丹端天據奇愛托臺金套光周第張插桌副議年戶瓜星荷雷世典王術紋萄葡學技匙門活閃徑亮筆校極海夏掃森福象輪黎客市紹老品商綠藍場梅紅黑冰城山教腦風之木港期花衣略宣廣泊站關冬樂胡叉懸松灣畢麗晚獅蘋香女歡漫簿草"
    "跡陳黃吳孫河溪票竹車遊並序戲攝旅球酒友夕夢川桃湖熊秋藝街銀雄雪雲魚鳥鹿找刀孩寶朋李材楊燈牛虎食企兔劉司咖啡啤夜奶她妙婚宇宙履峽崖帆師幸床廳徐恐昏春朱杏杯梨椅橋橙檬檸櫻汽淇淋渡漠瀑灘火烤燒營爐牡狼猴玫瑰"
    "男碗祝筷簾粽糕糖練羊船茶莓菊菜蕉虹蛇蛋蜂蜜蝴蝶螞蟻訓課谷豬趙郭醫鍋鐵院雞雨霞鞋飛飯餃餅餐鳳鴨鴿鵝鵡鸚麵龍龜爾只索斯含回準色援按當處容刪安克性共塊次其線警該裝與別窗制息籤群整尼等密利義規而長任束源載轉向"
    "知寬由忽外製欄比全擇併停查每接縮配及必信排檢但限址止屬少段具巴域題清基須放它尋達遠伺級阿樣驗暫通求保邊卡供里經控算圍鈕軟德衝備憑允譯隔量權離識化因顏給尾直註留功平函壓右追替送缺維先境儲憶做左實閉搜底兩"
    "常補瓦蹤消網納超棄管覆述游附跳切起輯二繪受即島突強依偏損反調集且形斷異齊匯塔也些翻映話廢決垂展都僅薩問然綴較若還把遞母捲操透務環登觸響壞？哥掛助協捷秒側波隱嘗尺續伊根牙細普英打叫核碟米緩際絕吉寸擴洛差"
    "繼考聯初框焦見距額割呼署十塞待充冊致裡銷威種零滑疊言適科隨撤短藏三夾漢瑞迴再假帶似延才拒盒推填就那斜旗般雜步濾某復丁奧頂事括盧詢足跟媒著階伯層板湊聖鏈嗎埃曼蘇近退坦書總諾堆演誌魯速史互射捨授監另昇"
)
KANJI = (
    "写真画像猫犬新表定用名数行語使設一中正書前込文指示内不合力字式終動子最効列要能無生証大出上値変見付後失理時下空成作先敗保加覧必入更対日求予構除実取結許場未在右規左可本型有類存読関置族高明間修月景人供背"
    "北達渡東電十物引業年辺紙積事会話了称地版削道図険学再山資海品案貼社川都木風京士請佐夏富林沖田秋縄花運阪食鳥員家料旅申伊免冬卒友吉商婚店春村校桜橋藤誕車鈴雪駅魚号認鍵外開配告報形期番方続検同警接情現照義"
    "化部共得換長限位複目制的発性切以全選国信含択準問参所算約分索致識標囲署当者視始解記返受小範追和状演別持法処張態通単集利色確代個際向起完自初属止幅適送拡縮項想非回計応意端圧常順度印割整移元容権素命機他暗"
    "異多重古区待進違境果線令決言側操種特体次装詳序秒点例各互細連直録既展並呼頭査島復改停環白替条件題二否扱描依末足隔統訳辞述与翻領刷破刻象庫挿域符組御様知量格影注壊密来済超帰句優戻継尾相釈両略親誤平手強比"
    "試備省遅副矢管拒提競補基探答過仮係州旧界響秘閉南公少英短等諸較主断何延築納論承押説反析周固味浮層水余安価第音詰垂損経身功残消由登棄増封段筒製避隠去低却負倍今調転民編近埋造宣推須落似監絶逆面黙専突立繰併"
    "精抽禁速及毎留般離差評飾因疑偽害従王討退原抑添考邦任冗昇桁横護助寄折昧曖混緒途奨局西降減率遷循括挙放総透候収縦被跡到廃弧排歴殊稼履永況純角路週均極欠曜独衝乗深満滅貫越隣頼伸働妥己巻打捗曲源然箱累岐盾矛"
    "群静早枠訪赤辿防阻階伴交偶危台器弱系乱仕判則布揃測米縁障充匿抜担普望派脈良質青世伝厳奇宛感獲診鮮？六憶朝活緑肢包太座溢片衆該遠飛鳴凍央奏広急究節緩著術観距載黄剰占土工市帯欧灰畳絡緊１三久仏即守幕底思搬"
    "教施洋湾程荷韓首香午半塊岡希役慮技捨矩礁福箇罫走遇遭金隅促健具典協好孤官寿尽恐投楽気港潜着紀紫茶蔽費軸遣隙雑頻願験２丸休便債八円券四城塗奈契宮将導屋岩崎忘念悪愛戦振掃政斜易暦杯梵植欄歪死汎液火灯県簡粋"
    "糊給絵維聖脱蒙覚誰貨賀軽輪輳輻鏡介勧唯善天届巨帝幹彙彩律慣捉捕携撃擬攻散昔映根概模歌治狭献神穴習職舞訂課購迂閾難％九井但住傾兆兌児兵冒勘千双口唆嘉圏園坦埼填声奪奴如媒媛宅尋屏岸庁彰往径徳慈憲招拠挟採援"
)
HANGUL = (
    "사진이그림지새고양스크린다니을수에는로를하없가일의정파서음습리인시자한은아문어제기상부용름표함합바력나식명여경행도면할트구비목과록료화미조원내장우주복안분와본커계최더결임확국처오증종신영생산배션위약폴"
    "완피직터않족강등울교년월회민늘김혼겨박있샷학친눈품캡봄윤녕꽃드대보만으값옵치모프실작해패입데형전소키버중된설업디되요라들열세메블성못개적출레호변동류테령거잘번야마브환단필렉타태했체현코추연너유간공재읽"
    "무항베반러당포르선십때색었알또줄페려래속방른능절접랜럼저백텍참카칼퍼검법템각건준두덱택았끝초밋발매티링든램게쓰예쪽클활져젯찾같됨널운숫렬플축역집권근릴쓸삭올딩룹것글닙젝관토규범허병청통향째볼따순헤슬압"
    "맞길언롤꾸창턴받별외격잭석콘런남암뒤컨뉴루됩말막및불케까투존쿼후듈심노될네움립셀돌점붙셸컬히릭빠캐웨잠금꿀누칙졌냅많독픽꼴며셋닌뷰왼앞께듭살빈밀충닫취콜벗큰감워란님날탭편달채묶켓갈쇄효특차핑응났높뜀춤"
    "윈락퀀긴롯슈엔먼침델손벨덮넣랑싱떤략섬씁짜급혹갑깁객꿈낼덤련질칠벤탈견귀깃술캘넘논납짐릿푸봉량머책첫롬애탄탐획꿉쿠폭갯옴컴틀큼북섹송잡룰릅므힌람액옛롭엘괄핸겟뀌론옮핀멈줌륨맨물온틴랍럭빌답맵끊율줍큽튜"
    "깅난멀숨탬썬웃홈놓률횟골총웁칸판눌렇밍빼즈짧황덴징팅풀렸짝톡팔멤둘랫맥쉼얼쳐칭킨럽묵밑폼겠몇휴겹깊왕평갱군망맷쉘짓팝균끄떼천헝몬끌뜁콤뀐냄넷닥멘봅써킷펴걸냐닉몰얻즉춥큐험뛰즘측냈몽왔죽칩킹덜렌좌찬낸둡"
    "떻룬밖깨렀빨탕톱흐끔낮던켜톰팩랩센슨슷킴텐느득떠벳셰쌍쓴틸곳뢰씀짙츠갖였웹콩킬홀꺼꼭끕셔엄잔춘캔곤긺녹샤씩억좋튀갔깜뜻랙벵쉬얕왑젠춰극꿔럴렛솔앙엇엽잃끼듬묘뽑샘셈얄착힐깔닛담뒷듦뜨맴멧뺀삼삽섞셜악익첩"
    "층텔팡겼곱뀜딸룩밝뿐썼엑옆웠좀첨킵탑펙퓨넓닐례밈벌벡뺄쇼앱왈츄켈협희괴낡눕닝됐샨쉽승찰캄콰퀴툼팬폰휘꾼뀝냥념멕씨앵얀쨌콥털틱헨힙꿨놔눅덧듯딘뛸빙빛섭앨앰얇잉쪼쳤캣켬퓌픈광깥떄떨뭔믹밤밴샌싶싼쌓옥웰윗첸"
    "펌펠핵혔홍흔괌낭냉넌넥뇨뉘늄둠렘멋뮤뮬빗솜잇죄쥴촉촐툴펀펄풋풍헬혈흉갸겁궈껐꼬끈끗늦둬띄묻믿빅뺍쁘싸앤엉엠육졸좁췄컷켭켰퀘퀵핏흑겉곧굵귈깝꽉뀔눔돈돋둔딕딜딱똑뚬럿롱멎밸벰벼벽봇붓뷔빡쁨삐섯셉셧셨옌옹왜"
)
KANA = (
    "ーのますンでしをルトはにイスがせんるいたックてリフシラなれプきタりドさアデョァジバかロとレテあィブグセサコパオエキマメこみムカウェらくュポケうダけベボチャモザォめよだつっナもソズビニユど・わガペワえへ"
    "ばヘピハネミおそぎびツゴホじべゲノむやずゥちヴヤヒギゼヌゾごヨろょげづぐほぬぞひぱふぶぁざぼねゆぜヂ"
)
HALF_WIDTH_KATAKANA = "".join(map(chr, range(0xFF61, 0xFFA0)))
FULL_WIDTH = "　、。，．・：；？！～（）［］「」『』【】《》〈〉〔〕…—–“”‘’×＋－＝＿＆＠＃" + "".join(
    map(chr, [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)])
)
RUSSIAN = "оеаинтрслвкпдмуязьыйбчгжфцхюшщэёъіїєґ"
GREEK = "αοετινσρμηπκυςλίγδήέάόχωθφύβώξζψϊϋ"
HEBREW = "יוהתלמראנבשקפדסגטעחםןכצזךץף"
ARABIC = "اليمروتةنفدسعبحقكجصأطهخإشذغزضىثئءظؤآ"
THAI = "ารอกนมเ่้ลงดัีติสบยวแไ์ทคขปหจพูะชืโซำุใฟถ็ณผภธษฐศญ"
MARKS = (("ðþýÿ¿¹", 14.0), ("’©", 9.0), ("–€°®", 10.0), ("—‘“”«»·…²³º½§´", 12.0), ("\xa0", 11.0))


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
_JAPANESE = (*((kana, 4.0 + 0.63 * log2(rank)) for rank, kana in enumerate(KANA, 1)), (FULL_WIDTH, 10.0))
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
