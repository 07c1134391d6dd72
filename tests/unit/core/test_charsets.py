"""Short file names in charsets that nobody states: ``KNOWN`` has 220 of them, and how many of each charset are read right is counted.

Of the same names charset-normalizer 3.5.2 reads 28 %, chardet 7.7.0 79 % and chardetng-py 0.3.5 80 % right; so there is a rule of our own.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.charset_table import CHARSETS, LABELS
from backend.core.charsets import decoded, decoded_as, utf8_or_guessed

KNOWN = {
    "gb18030": (
        "图片 照片 我的图片 截图 屏幕截图 微信图片_20240102 新建文件夹 猫 测试 中文 头像 身份证正面 营业执照 大海 春天 产品主图1 "
        "毕业照(1) 北京故宫 张三 李小龙 婚纱照 户型图 合同扫描件 发票 封面-最终版 IMG_001副本 风景 宝宝满月 长城 小红书封面 美女 熊猫 "
        "未命名 表情包 背景图 海报设计 上海外滩夜景 你好 全家福 简历照片 二维码 鼠标 苹果 logo设计 奖状 老照片修复 猫咪在窗台 黄山日出 "
        "登记照 水彩画"
    ),
    "cp932": (
        "写真 画像 表 能 猫 新規画像 スクリーンショット テスト ファイル ソフト 桜 富士山 東京タワー かわいい猫 犬の写真 誕生日 "
        "家族旅行 運動会2023 結婚式 無題 名称未設定 請求書 見積書 履歴書写真 表紙 構成図 予定表 料理 ラーメン おにぎり こんにちは "
        "日本語 背景 海 夏休み 京都の紅葉 北海道 子供 田中太郎 山田花子 ロゴ アイコン イラスト マンガ01 集合写真 十字架 申込書 ﾃｽﾄ "
        "紫陽花 ポスター案"
    ),
    "cp950": (
        "圖片 照片 螢幕擷取畫面 我的圖片 測試 貓 風景 身分證 臺北101 台灣 全家福 畢業照 新增資料夾 功能表 許功蓋 封面 餐廳菜單 "
        "生日快樂 王小明 香港夜景 婚紗照 產品圖 海報 合約 發票 旅遊照片"
    ),
    "cp949": (
        "사진 그림 고양이 강아지 스크린샷 화면 제목_없음 내사진 가족사진 서울 제주도여행 증명사진 로고 배경화면 한글 테스트 김철수 "
        "생일파티 이력서 바다 꽃 음식 결혼식 명함 새폴더"
    ),
    "cp1252": (
        "Müller Größe Straße für_dich Übersicht schöne_Grüße Äpfel Käse Brötchen Weißwurst Geschäftsführer München_2023 Österreich süß "
        "Café été Été_2024 forêt élève Noël garçon photo_d’été château_à_Paris œuvre naïve hôtel français Capture_d’écran crème_brûlée "
        "año_nuevo niño España corazón mañana canción São_Paulo coração fotografía João ação città perché Málaga smörgås Åre blåbær Ø "
        "Zoë é ä 50_€ ©_Fotograf Fußgängerzone Pâques"
    ),
    "cp1251": ("Фото картинка Снимок_экрана кот Москва Без_имени собака новый_год документ скриншот Иванов паспорт лето_2023 дети море"),
}
LEAST = {"gb18030": 50, "cp932": 50, "cp950": 26, "cp949": 25, "cp1252": 54, "cp1251": 15}
"""How many of ``KNOWN`` are read right, at least."""


def names(charset: str) -> list[str]:
    return [f"{each}.jpg" for each in KNOWN[charset].split()]


@pytest.mark.parametrize("charset", KNOWN)
def test_short_names_are_read_in_the_charset_that_they_came_in(charset: str) -> None:
    wrong = {name: decoded(name.encode(charset)) for name in names(charset) if decoded(name.encode(charset)) != name}
    assert len(names(charset)) - len(wrong) >= LEAST[charset], wrong


@pytest.mark.parametrize(("charset", "name"), [("gb18030", "你好世界"), ("gb18030", "小猫"), ("gb18030", "玫瑰"), ("cp950", "中文")])
def test_common_words_that_other_charsets_have_letters_for(charset: str, name: str) -> None:
    """Such as いゅ in EUC-JP for 中文 in Big5, and a Cyrillic and a Latin letter in UTF-8 for 小猫 in GBK."""
    assert decoded(f"{name}.jpg".encode(charset)) == f"{name}.jpg"


@pytest.mark.parametrize("charset", KNOWN)
def test_names_in_utf8_are_never_taken_for_anything_else(charset: str) -> None:
    for name in names(charset):
        assert decoded(name.encode()) == utf8_or_guessed(name.encode()) == name


@pytest.mark.parametrize(
    "name",
    ["Ελλάδα", "שלום", "صورة", "zdjęcie", "Příliš", "Ağaç", "Şəkil", "e\u0301te\u0301", "ảnh", "Hương", "น้ำ", "🎉", "我", "à côté", "Łódź", "Ωραία"],
)
def test_utf8_of_other_languages_stays(name: str) -> None:
    assert decoded(name.encode()) == name


def test_a_charset_that_is_stated_goes_before_a_guess_and_after_utf8() -> None:
    assert decoded("牡丹.jpg".encode("gbk"), "GBK") == decoded("牡丹.jpg".encode(), "GBK") == "牡丹.jpg"
    assert decoded("图片.jpg".encode("gb2312"), "gb2312") == "图片.jpg"  # valid UTF-8, too: ͼƬ
    assert decoded("Dvořák.jpg".encode("iso8859-2"), "ISO-8859-2") == "Dvořák.jpg"
    assert decoded("é.jpg".encode(), "iso-8859-1") == "é.jpg"
    assert decoded("图.jpg".encode("gbk"), "no such charset") == "图.jpg"
    assert decoded("図.jpg".encode("iso2022_jp")) == "図.jpg"


def test_ways_in_that_are_utf8_stay_so() -> None:
    assert utf8_or_guessed(b"\xc3\xa8.jpg") == "è.jpg"
    assert decoded(b"\xc3\xa8.jpg") == "猫.jpg"  # GBK: a word of its own there, and hardly one in French
    assert utf8_or_guessed("照片.jpg".encode("gbk")) == "照片.jpg"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("图片".encode()[:-1], "图"),
        ("图片".encode()[:-1] + b".jpg", "图�.jpg"),
        ("Übergrö".encode()[:-1], "Übergr"),
        (b"\xed\xa0\xbd\xed\xb8\x80.png", "😀.png"),
        (b"a\xed\xa0\x80b.png", "a�b.png"),
    ],
)
def test_broken_utf8_keeps_what_is_whole(raw: bytes, text: str) -> None:
    assert decoded(raw) == text


@given(st.binary(), st.text(max_size=20))
def test_any_bytes_become_text_and_the_same_each_time(raw: bytes, stated: str) -> None:
    assert decoded(raw, stated) == decoded(raw, stated)
    assert decoded_as(raw, stated) is None or isinstance(decoded_as(raw, stated), str)


def test_a_long_text_is_weighed_by_what_is_beyond_ascii() -> None:
    for lead in (0, 1, 5000, 1023, 1024):
        assert decoded(b"a" * lead + ("照片" * 5000).encode("gbk")) == "a" * lead + "照片" * 5000


def test_every_charset_of_the_tables_is_one_that_python_reads() -> None:
    for codec in {*(each.codec for each in CHARSETS), *LABELS.values()}:
        assert b"a".decode(codec) == "a"
