"""What the fields of a form mean that are no conversion options: upload libraries and web frameworks add them by themselves.

Sources: the libraries' own code, at their default settings. A field that no row names is an option, or a misspelt one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WHOLE = re.compile(r"\s*\d{1,15}\s*")


@dataclass(frozen=True, slots=True)
class Sender:
    """``fields`` are passed over. ``pieces`` say which piece of a file is in the form: name → the highest value at which the file is whole."""

    name: str
    fields: tuple[str, ...] = ()
    pieces: tuple[tuple[str, int], ...] = ()


SENDERS = (
    Sender("Uppy", ("name", "type", "relativePath", "absolutePath", "caption", "authorName", "authorUrl")),
    Sender("a File in the browser", ("size", "lastModified", "lastModifiedDate", "webkitRelativePath")),
    Sender(
        "Dropzone",
        ("fullPath", "dzuuid", "dztotalfilesize", "dzchunksize"),
        (("dztotalchunkcount", 1), ("dzchunkindex", 0), ("dzchunkbyteoffset", 0)),
    ),
    Sender("FilePond", ("filepond",)),
    Sender(
        "Fine Uploader",
        ("qquuid", "qqfilename", "qqtotalfilesize", "qqchunksize", "qqresume", "qqparentuuid", "qqparentsize", "qqblobname"),
        (("qqtotalparts", 1), ("qqpartindex", 0), ("qqpartbyteoffset", 0)),
    ),
    Sender("Plupload, WebUploader", ("id", "name", "type", "size", "lastModifiedDate"), (("chunks", 1), ("chunk", 0))),
    Sender(
        "Resumable.js",
        (
            "resumableChunkSize",
            "resumableCurrentChunkSize",
            "resumableTotalSize",
            "resumableType",
            "resumableIdentifier",
            "resumableFilename",
            "resumableRelativePath",
        ),
        (("resumableTotalChunks", 1), ("resumableChunkNumber", 1)),
    ),
    Sender(
        "Flow.js",
        ("flowChunkSize", "flowCurrentChunkSize", "flowTotalSize", "flowIdentifier", "flowFilename", "flowRelativePath"),
        (("flowTotalChunks", 1), ("flowChunkNumber", 1)),
    ),
    Sender(
        "simple-uploader.js", ("chunkSize", "currentChunkSize", "totalSize", "identifier", "relativePath"), (("totalChunks", 1), ("chunkNumber", 1))
    ),
    Sender(
        "bootstrap-fileinput",
        ("fileId", "fileName", "fileSize", "fileRelativePath", "chunkSize", "retryCount", "uploadToken", "initialPreview", "initialPreviewConfig"),
        (("chunkCount", 1), ("chunkIndex", 0), ("chunkSizeStart", 0)),
    ),
    Sender("ng-file-upload", ("_chunkSize", "_currentChunkSize", "_totalSize"), (("_chunkNumber", 0),)),
    Sender("Syncfusion", (), (("total-chunk", 1), ("chunk-index", 0))),
    Sender("Laravel, Rails", ("_token", "_method", "authenticity_token", "utf8", "commit")),
    Sender("Django, Flask", ("csrfmiddlewaretoken", "csrf_token", "csrf")),
    Sender("Spring, Express, Yii", ("_csrf", "_csrf_header", "xsrf", "_xsrf")),
    Sender("Symfony, Phoenix, CakePHP", ("_csrf_token", "_utf8", "_csrfToken", "csrfToken")),
    Sender("CodeIgniter, CKEditor", ("csrf_test_name", "ckCsrfToken")),
    Sender("ASP.NET", ("__RequestVerificationToken", "__VIEWSTATE", "__VIEWSTATEGENERATOR", "__EVENTVALIDATION", "__EVENTTARGET", "__EVENTARGUMENT")),
    Sender("WordPress, Drupal", ("_wpnonce", "_wp_http_referer", "_ajax_nonce", "form_build_id", "form_token", "form_id")),
    Sender("PHP", ("MAX_FILE_SIZE", "PHP_SESSION_UPLOAD_PROGRESS", "APC_UPLOAD_PROGRESS", "UPLOAD_IDENTIFIER")),
    Sender("a form of the browser", ("_charset_", "submit", "Submit")),
)
PASSED_OVER = frozenset(name for each in SENDERS for name in each.fields)
PIECES = {name: highest for each in SENDERS for name, highest in each.pieces}


def is_option(name: str) -> bool:
    """Whether the field is meant as a conversion option, right or misspelt."""
    return name not in PASSED_OVER and name not in PIECES


def is_piece(name: str, value: str) -> bool:
    """Whether this field says that the form holds one piece of a file that is sent in several requests."""
    return name in PIECES and WHOLE.fullmatch(value) is not None and int(value) > PIECES[name]


def is_piece_range(content_range: str) -> bool:
    """Whether this ``Content-Range`` says so, as jQuery File Upload sends it: ``bytes 0-99/1000`` (RFC 9110 §14.4)."""
    found = re.fullmatch(r"\s*bytes\s+(\d{1,15})-(\d{1,15})/(\d{1,15}|\*)\s*", content_range)
    return found is not None and (int(found[1]) > 0 or found[3] == "*" or int(found[2]) + 1 < int(found[3]))
