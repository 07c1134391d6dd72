"""What the headers of tus may say, and which of a client's metadata are its own."""

from __future__ import annotations

import base64
from dataclasses import Field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import errors
from backend.core import form_fields, options, tus

OWN = (
    "name type size filetype filesize fileSize content-type contentType mimeType userId user_id relativePath webkitRelativePath caption title "
    "album description tags lastModified bucketName objectName cacheControl checksum sha256 uploadId projectId token path folder is_confidential "
    "fileName FileName file_name file-name FILENAME Name uuid id key source rating alt note private x _ $ a.b a:b a;b=c 0 null constructor __proto__"
)
"""Keys that tus clients, upload libraries and applications send."""
MISSPELT = (
    "qualty qualitty qulaity Quality QUALITY widht widt Width heigth hight losless lossles near-lossless nearLossless mehtod metod rotat roate "
    "gravty enlarg animaton backgroud target-bytes targetBytes alphaQuality alpha-quality sharpYuv sharp-yuv autoOrient auto-orient metdata fitt "
    "formt Format filenam filenames background-color backgroundColor near_loss_less"
)


@pytest.mark.parametrize("key", OWN.split())
def test_a_key_that_resembles_no_option_is_the_clients_own(key: str) -> None:
    assert tus.wishes({key: "anything"}) == []


def test_what_libraries_add_to_forms_is_no_wish_either() -> None:
    assert tus.wishes(dict.fromkeys([*form_fields.PASSED_OVER, *form_fields.PIECES], "1")) == []


@pytest.mark.parametrize("key", [*sorted(tus.OWN_KEYS), "userMetadata", "user_metadata", "Field-Name"])
def test_a_key_that_clients_add_is_their_own_though_it_resembles_an_option(key: str) -> None:
    assert tus.wishes({key: "anything"}) == []
    assert options.is_similar(key), "it needs no row in the table"


@pytest.mark.parametrize("key", MISSPELT.split())
def test_a_misspelt_option_is_refused(key: str) -> None:
    with pytest.raises(errors.InvalidOption) as raised:
        options.parse(tus.wishes({"userId": "7", key: "1"}))
    assert raised.value.params["option"] == key


@pytest.mark.parametrize("each", options.OFFERED, ids=lambda each: each.name)
def test_every_option_is_a_wish_and_so_is_each_spelling_that_lacks_or_doubles_a_letter(each: Field[Any]) -> None:
    name = each.name
    lacking = [name[:at] + name[at + 1 :] for at in range(len(name))]
    doubled = [name[:at] + name[at] + name[at:] for at in range(len(name))]
    spelt = [name, *doubled, *(lacking if len(name) > 2 else ())]
    assert [key for key, _ in tus.wishes(dict.fromkeys(spelt, "1"))] == list(dict.fromkeys(spelt))


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        (" ", {}),
        (",", {}),
        ("filename Y2F0LnBuZw==", {"filename": "cat.png"}),
        ("filename Y2F0LnBuZw==,is_confidential", {"filename": "cat.png", "is_confidential": ""}),
        ("filename Y2F0LnBuZw==,", {"filename": "cat.png"}),
        ("filename Y2F0LnBuZw==, ,type ", {"filename": "cat.png", "type": ""}),
        ("\tfilename  Y2F0LnBuZw== ,\ttype\tYQ==", {"filename": "cat.png", "type": "a"}),
        ("filename Y2F0LnBuZw", {"filename": "cat.png"}),
        ("name 5oiR55qE5Zu+54mHLnBuZw==", {"name": "我的图片.png"}),
        ("a.b:c;d=$! YQ==", {"a.b:c;d=$!": "a"}),
        ("Key YQ==,key Yg==", {"Key": "a", "key": "b"}),
        ("filename zbzGrC5qcGc=,name lVwucG5n", {"filename": "图片.jpg", "name": "表.png"}),  # GBK and Shift JIS
        ("data /+8=", {"data": "\ufffd\ufffd"}),
    ],
)
def test_metadata_are_read_as_clients_write_them(text: str, pairs: dict[str, str]) -> None:
    assert list(tus.metadata(text).items()) == list(pairs.items())


@pytest.mark.parametrize(
    "text",
    [
        "filename !!!",
        "filename YQ== YQ==",
        "filename Y",
        "filename YQ==;type YQ==",
        "filename Y=Q=",
        "filename _-8=",
        "gr\xf6\xdfe YQ==",
        "a\x80 YQ==",
        "filename ä",
        "a\x7f YQ==",
    ],
)
def test_metadata_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(errors.BadRequest) as raised:
        tus.metadata(text)
    assert raised.value.params["header"] == "Upload-Metadata"


def test_a_key_may_come_once_whether_or_not_it_is_an_option() -> None:
    for text in ("quality ODA=,quality ODA=", "userId MQ==,name YQ==,userId Mg=="):
        with pytest.raises(errors.BadRequest, match="metadata_repeated"):
            tus.metadata(text)


def test_the_number_of_keys_and_the_length_are_bounded() -> None:
    keys = [f"key{number}" for number in range(tus.MOST_KEYS + 1)]
    assert len(tus.metadata(",".join(keys[1:]))) == tus.MOST_KEYS
    with pytest.raises(errors.BadRequest, match="metadata_keys"):
        tus.metadata(",".join(keys))
    assert tus.metadata("key " + "A" * (tus.METADATA_BYTES - 4))
    with pytest.raises(errors.TooLarge, match="metadata"):
        tus.metadata("key " + "A" * (tus.METADATA_BYTES - 3))


@given(st.dictionaries(st.from_regex(r"[!-+\--~]{1,12}", fullmatch=True), st.text(max_size=30), max_size=6))
def test_whatever_a_client_encodes_comes_out(pairs: dict[str, str]) -> None:
    text = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    assert tus.metadata(text) == pairs


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_whatever_a_header_says_is_read_or_refused(text: str) -> None:
    try:
        tus.metadata(text)
    except errors.BadRequest:
        pass


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ({}, ""),
        ({"filename": "a", "name": "b", "fileName": "c"}, "a"),
        ({"filename": "", "name": "b"}, "b"),
        ({"name": "b", "fileName": "c"}, "c"),
        ({"relativePath": "x/y", "fileName": "c"}, "c"),
        ({"file_name": "d"}, "d"),
    ],
)
def test_a_files_name_is_found_under_the_keys_that_clients_use(pairs: dict[str, str], name: str) -> None:
    assert tus.name(pairs) == name


ID = "4k6Zr0m1x8uQyB5w2TnHcA"


@pytest.mark.parametrize(
    "address",
    [
        f"/api/uploads/{ID}",
        f"https://gateway.example/api/uploads/{ID}",
        f"http://[::1]:5000/images/api/uploads/{ID}/",
        f"/images/api/uploads/{ID}",
        f"uploads/{ID}",
        f"./uploads/{ID}",
        ID,
        f"./{ID}",
    ],
)
def test_a_part_is_named_by_an_absolute_or_a_relative_address(address: str) -> None:
    assert tus.concat(f"final;{address} {address}") == (tus.FINAL, (ID, ID))


@pytest.mark.parametrize(
    "address", [f"/elsewhere/{ID}", f"/api/uploads/{ID},/api/uploads/{ID}", f"ftp://a/api/uploads/{ID}", f"a/{ID}", ID[1:], f"{ID}/x"]
)
def test_another_address_is_no_part(address: str) -> None:
    with pytest.raises(errors.BadRequest):
        tus.concat(f"final;{address}")


@pytest.mark.parametrize(("text", "count"), [("0", 0), ("007", 7), ("9" * 19, int("9" * 19)), ("9" * 100, int("9" * 100))])
def test_a_number_may_be_of_any_size(text: str, count: int) -> None:
    assert tus.count("Upload-Length", text) == count


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e3", "0x1", " 1", "1\n", "٣", "9" * 101])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(errors.BadRequest):
        tus.count("Upload-Length", text)
