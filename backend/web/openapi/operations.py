"""Every route under ``/api`` as one table, from which ``/api/openapi.json`` is made. A test compares it with the routes that Flask has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend import errors
from backend.core import tus
from backend.web.openapi.schemas import ID, Schema, ref

Text = tuple[str, str]
"""English and Simplified Chinese."""
Kind = type[errors.GatewayError]

INTAKE: tuple[Kind, ...] = (
    errors.BadRequest,
    errors.TooLarge,
    errors.UnsupportedFormat,
    errors.InvalidOption,
    errors.TooManyPixels,
    errors.TooManyFrames,
    errors.DamagedImage,
    errors.EmptyFile,
    errors.RateLimited,
    errors.QueueFull,
    errors.BackendUnavailable,
    errors.StorageFull,
)
LOOK: tuple[Kind, ...] = (errors.NotFound, errors.BackendUnavailable)


@dataclass(frozen=True, slots=True)
class Answer:
    what: Text
    content: dict[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """``parameters`` name ``PARAMETERS``; ``body`` is media type → schema; ``has_options``: the conversion options as query too."""

    method: str
    path: str
    id: str
    tag: str
    summary: Text
    answers: dict[int, Answer]
    errors: tuple[Kind, ...] = ()
    parameters: tuple[str, ...] = ()
    body: dict[str, Schema] = field(default_factory=dict)
    has_options: bool = False
    is_guarded: bool = True
    curl: str = ""


def _parameter(name: str, where: str, schema: Schema, what: Text, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "what": what, **more}


_TEXT: Schema = {"type": "string"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "job_id": _parameter("job_id", "path", ID, ("The job’s id", "任务编号")),
    "batch_id": _parameter("batch_id", "path", ID, ("The batch’s id", "批次编号")),
    "upload_id": _parameter("upload_id", "path", ID, ("The upload’s id", "上传编号")),
    "Prefer": _parameter(
        "Prefer",
        "header",
        _TEXT,
        ("wait=N: answer within N ≤ 30 s, once there is news (RFC 7240)", "wait=N：有变化时或最多 N ≤ 30 秒后答复（RFC 7240）"),
    ),
    "Idempotency-Key": _parameter(
        "Idempotency-Key",
        "header",
        _TEXT,
        ("The same key within 24 h gives the same job or upload; with another request 422", "24 小时内相同的键得到同一任务或上传；请求不同则为 422"),
    ),
    "Content-Digest": _parameter(
        "Content-Digest", "header", _TEXT, ("RFC 9530; bytes that do not have this digest are refused", "RFC 9530；摘要不符的正文会被拒绝")
    ),
    "If-None-Match": _parameter("If-None-Match", "header", _TEXT, ("The ETag that is known already", "已知的 ETag")),
    "If-Match": _parameter("If-Match", "header", _TEXT, ("Only if the file still has this ETag; else 412", "仅当文件仍为此 ETag 时；否则 412")),
    "Range": _parameter("Range", "header", _TEXT, ("One range of bytes (RFC 9110 §14)", "一个字节范围（RFC 9110 §14）")),
    "If-Range": _parameter("If-Range", "header", _TEXT, ("The range only if the file still has this ETag", "仅当文件仍为此 ETag 时返回范围")),
    "Last-Event-ID": _parameter("Last-Event-ID", "header", {"type": "string", "pattern": "^[0-9]*$"}, ("Resume after this seq", "从此 seq 之后继续")),
    "after": _parameter("after", "query", {"type": "integer", "minimum": 0}, ("Resume after this seq", "从此 seq 之后继续")),
    "download": _parameter("download", "query", _TEXT, ("Offer it for saving", "作为附件下载"), allowEmptyValue=True),
    "state": _parameter(
        "state",
        "query",
        {"type": "array", "items": {"$ref": "#/components/schemas/State"}},
        ("Only these states", "仅限这些状态"),
        style="form",
        explode=False,
    ),
    "limit": _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, ("How many at most", "最多返回多少个")),
    "cursor": _parameter("cursor", "query", _TEXT, ("From the “next” of the page before", "来自上一页的「next」")),
    "Tus-Resumable": _parameter("Tus-Resumable", "header", {"const": tus.VERSION}, ("The protocol’s version", "协议版本"), required=True),
    "Upload-Length": _parameter("Upload-Length", "header", {"type": "integer", "minimum": 0}, ("Size of the file in bytes", "文件字节数")),
    "Upload-Defer-Length": _parameter("Upload-Defer-Length", "header", {"const": 1}, ("The size is told later", "稍后告知大小")),
    "Upload-Metadata": _parameter(
        "Upload-Metadata", "header", _TEXT, ("filename and conversion options, each value in Base64", "filename 与转换选项，值为 Base64")
    ),
    "Upload-Concat": _parameter("Upload-Concat", "header", _TEXT, ("partial, or final; and its parts", "partial，或 final; 及其分段")),
    "Upload-Offset": _parameter(
        "Upload-Offset", "header", {"type": "integer", "minimum": 0}, ("Where these bytes belong", "这些字节的位置"), required=True
    ),
    "Upload-Checksum": _parameter("Upload-Checksum", "header", _TEXT, ("algorithm and digest in Base64", "算法与 Base64 摘要")),
}
OPTION_TEXTS: dict[str, Text] = {
    "quality": ("0–100, or auto: the lowest that looks the same", "0–100，或 auto：看起来相同的最低质量"),
    "lossless": ("Keep every pixel", "无损"),
    "near_lossless": ("Lossless after a slight smoothing; 100: none", "近无损预处理；100 为不处理"),
    "method": ("Effort: 0 is quick, 6 is small", "编码强度：0 最快，6 最小"),
    "alpha_quality": ("Quality of the transparency", "透明通道质量"),
    "sharp_yuv": ("Sharper colour edges, slower", "色彩边缘更清晰，较慢"),
    "target_bytes": ("Size to reach, in bytes", "目标字节数"),
    "width": ("Width in pixels", "宽度（像素）"),
    "height": ("Height in pixels", "高度（像素）"),
    "fit": ("How the image fills width × height", "图片如何适应宽 × 高"),
    "enlarge": ("Smaller images may grow", "允许放大较小的图片"),
    "gravity": ("Which part stays with cover and contain", "cover 与 contain 时保留的部位"),
    "background": ("Colour behind, with contain and for what has no transparency", "背景颜色"),
    "rotate": ("Clockwise, in degrees", "顺时针旋转角度"),
    "auto_orient": ("Turn as the camera held it (EXIF)", "按 EXIF 方向转正"),
    "flip": ("Upside down", "上下翻转"),
    "flop": ("Left to right", "左右翻转"),
    "metadata": ("What is kept of EXIF, XMP and IPTC", "保留哪些元数据"),
    "animation": ("All frames, or the first", "保留全部帧，或只取第一帧"),
    "filename": ("Name of the image, for a raw body", "图片名称（原始正文时使用）"),
}
HEADERS: dict[str, tuple[Schema, Text]] = {
    "X-Request-Id": (_TEXT, ("The request’s id: yours, if it was one", "请求编号；若请求携带有效编号则原样返回")),
    "Location": (_TEXT, ("Address of the new thing", "新资源的地址")),
    "Retry-After": ({"type": "integer", "minimum": 0}, ("Seconds", "秒数")),
    "ETag": (_TEXT, ("Weak and the seq for a job; strong and the SHA-256 for bytes", "任务为弱 ETag（seq）；文件为强 ETag（SHA-256）")),
    "Link": (_TEXT, ('rel="next": the next page; rel="job": the job of an upload', 'rel="next"：下一页；rel="job"：上传所成的任务')),
    "Preference-Applied": (_TEXT, ("The wait that was applied", "实际采用的等待时间")),
    "RateLimit": (_TEXT, ("What is left (draft-ietf-httpapi-ratelimit-headers-10)", "剩余额度")),
    "RateLimit-Policy": (_TEXT, ("What is allowed", "限额策略")),
    "Server-Timing": (_TEXT, ("receive, queue, convert, total in ms", "接收、排队、转换、总计（毫秒）")),
    "Content-Disposition": (_TEXT, ("RFC 6266, with filename*", "RFC 6266，含 filename*")),
    "Content-Range": (_TEXT, ("Which part this is", "所返回的范围")),
    "Accept-Ranges": (_TEXT, ("bytes", "bytes")),
    "Tus-Resumable": (_TEXT, ("1.0.0", "1.0.0")),
    "Tus-Version": (_TEXT, ("1.0.0", "1.0.0")),
    "Tus-Extension": (_TEXT, ("The extensions", "支持的扩展")),
    "Tus-Max-Size": ({"type": "integer"}, ("Bytes of one upload at most", "单个上传的字节上限")),
    "Upload-Offset": ({"type": "integer", "minimum": 0}, ("Bytes that are safe", "已安全保存的字节数")),
    "Upload-Length": ({"type": "integer", "minimum": 0}, ("Size of the file", "文件大小")),
    "Upload-Expires": (_TEXT, ("When it is given up", "失效时间")),
}
TAGS: dict[str, Text] = {
    "jobs": ("Take images, show jobs, stop them, hand out results", "接收图片，查询、取消任务，取得结果"),
    "events": ("A job’s changes as they happen", "任务的实时变化"),
    "batches": ("Several images as one", "多张图片作为一个批次"),
    "convert": ("Image in, WebP out, in one request", "一次请求完成转换"),
    "uploads": ("Resumable uploads: tus 1.0.0", "断点续传：tus 1.0.0"),
    "gateway": ("What it can do and how it is", "功能与状态"),
}

_JSON = "application/json"
_BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
_JOB = {_JSON: ref("Job")}
_FORM: Schema = {
    "type": "object",
    "properties": {"file": {"oneOf": [_BINARY, {"type": "array", "items": _BINARY}]}},
    "required": ["file"],
    "additionalProperties": {"description": "Any conversion option"},
}
_BY_URL: Schema = {"type": "object", "properties": {"url": {"type": "string", "format": "uri"}}, "required": ["url"], "additionalProperties": True}
_IMAGE = {"image/*": _BINARY, "application/octet-stream": _BINARY, "multipart/form-data": _FORM}
_ACCEPTED = Answer(
    ("Taken; the source and its manifest are safe", "已接收；原图与清单已安全写入"),
    {_JSON: {"oneOf": [ref("Job"), ref("Batch")]}},
    ("Location", "Retry-After"),
)
_THE_JOB = Answer(("The job", "任务"), _JOB, ("ETag",))
_EVENTS = Answer(
    ("Events, until the end; each datum is the whole state as JSON", "事件流，直到结束；每条数据为完整状态的 JSON"), {"text/event-stream": _TEXT}
)
_NOTHING_NEW = Answer(("It has ended and there is nothing newer", "已结束，没有更新的内容"))
_UNCHANGED = Answer(("Nothing has changed", "没有变化"), {}, ("ETag",))
_BYTES = ("ETag", "Content-Disposition", "Accept-Ranges")


def _bytes(what: Text, media_type: str) -> dict[int, Answer]:
    return {
        200: Answer(what, {media_type: _BINARY}, _BYTES),
        206: Answer(("A part of it", "其中一部分"), {media_type: _BINARY}, (*_BYTES, "Content-Range")),
        304: _UNCHANGED,
    }


_CONDITIONS = ("Range", "If-Range", "If-None-Match", "If-Match")
_TUS = ("Tus-Resumable",)
_SAFE = ("Tus-Resumable", "Upload-Offset", "Upload-Expires", "Link")
_VERSIONS = Answer(("Versions and extensions", "版本与扩展"), {}, ("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size"))
_CONVERTED = {200: Answer(("The WebP", "WebP 图片"), {"image/webp": _BINARY}, (*_BYTES, "Server-Timing"))}
_CONVERT_ERRORS = (*INTAKE, errors.EncodeTimeout, errors.NotFound, errors.Gone)
_TUS_ERRORS: tuple[Kind, ...] = (errors.BadRequest, errors.PreconditionFailed, *LOOK)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/api/jobs",
        "createJob",
        "jobs",
        ("Convert one or more images", "转换一张或多张图片"),
        {200: Answer(("It ended while you waited", "等待期间已结束"), _JOB, ("Preference-Applied",)), 202: _ACCEPTED},
        (*INTAKE, errors.Forbidden),
        ("Prefer", "Idempotency-Key", "Content-Digest"),
        {**_IMAGE, _JSON: _BY_URL},
        True,
        curl="curl -F file=@cat.jpg -F quality=75 {base}/api/jobs",
    ),
    Operation(
        "GET",
        "/api/jobs",
        "listJobs",
        "jobs",
        ("Your own jobs, newest first", "自己的任务，最新的在前"),
        {
            200: Answer(
                (
                    "A page. Without API keys “your own” means: made with this cookie, or from this very machine",
                    "一页。未设置 API 密钥时，「自己的」指使用同一 Cookie 或从本机创建的任务",
                ),
                {_JSON: ref("JobList")},
                ("Link",),
            )
        },
        (errors.InvalidOption, errors.BackendUnavailable),
        ("state", "limit", "cursor"),
        curl="curl '{base}/api/jobs?state=succeeded&limit=20'",
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}",
        "showJob",
        "jobs",
        ("One job; with If-None-Match and Prefer: wait a long poll", "查询任务；配合 If-None-Match 与 Prefer: wait 可长轮询"),
        {200: Answer(("The job", "任务"), _JOB, ("ETag", "Preference-Applied")), 304: _UNCHANGED},
        LOOK,
        ("job_id", "Prefer", "If-None-Match"),
        curl="curl -H 'Prefer: wait=20' -H 'If-None-Match: W/\"1\"' {base}/api/jobs/$job",
    ),
    Operation(
        "DELETE",
        "/api/jobs/{job_id}",
        "eraseJob",
        "jobs",
        ("Stop it if it runs, and erase source, result and record", "如在运行则停止，并删除原图、结果与记录"),
        {204: Answer(("Erased", "已删除"))},
        LOOK,
        ("job_id",),
        curl="curl -X DELETE {base}/api/jobs/$job",
    ),
    Operation(
        "POST",
        "/api/jobs/{job_id}/cancel",
        "cancelJob",
        "jobs",
        ("Stop it, in mid-encode too", "取消任务，编码途中亦可"),
        {200: Answer(("The job, cancelled", "已取消的任务"), _JOB)},
        (errors.AlreadyFinished, *LOOK),
        ("job_id",),
        curl="curl -X POST {base}/api/jobs/$job/cancel",
    ),
    Operation(
        "POST",
        "/api/jobs/{job_id}/retry",
        "retryJob",
        "jobs",
        ("The same source again, with new options if given", "用同一原图重新转换，可给出新选项"),
        {202: Answer(("A new job", "新任务"), _JOB, ("Location", "Retry-After"))},
        (errors.BadRequest, errors.InvalidOption, errors.RateLimited, errors.QueueFull, errors.StorageFull, *LOOK),
        ("job_id", "Idempotency-Key"),
        {_JSON: ref("Options")},
        True,
        curl="curl -X POST '{base}/api/jobs/$job/retry?quality=60'",
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/result",
        "getResult",
        "jobs",
        ("The WebP", "WebP 结果"),
        _bytes(("The WebP", "WebP 图片"), "image/webp"),
        (errors.NotReady, errors.Gone, errors.RangeNotSatisfiable, errors.PreconditionFailed, *LOOK),
        ("job_id", "download", *_CONDITIONS),
        curl="curl {base}/api/jobs/$job/result -o cat.webp",
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/source",
        "getSource",
        "jobs",
        ("What was uploaded", "原图"),
        _bytes(("What was uploaded, as an attachment", "原图（附件）"), "image/*"),
        (errors.RangeNotSatisfiable, errors.PreconditionFailed, *LOOK),
        ("job_id", *_CONDITIONS),
        curl="curl -OJ {base}/api/jobs/$job/source",
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/events",
        "followJob",
        "events",
        ("Server-Sent Events; id is the seq", "Server-Sent Events；id 即 seq"),
        {200: _EVENTS, 204: _NOTHING_NEW},
        (errors.BadRequest, *LOOK),
        ("job_id", "Last-Event-ID", "after"),
        curl="curl -N {base}/api/jobs/$job/events",
    ),
    Operation(
        "GET",
        "/api/jobs/{job_id}/ws",
        "watchJob",
        "events",
        ("The same events over a plain WebSocket", "通过普通 WebSocket 接收同样的事件"),
        {101: Answer(("One JSON text message each", "每条为一个 JSON 文本消息"))},
        (errors.BadRequest, errors.Forbidden, *LOOK),
        ("job_id", "after"),
    ),
    Operation(
        "GET",
        "/api/batches/{batch_id}",
        "showBatch",
        "batches",
        ("All jobs of one request", "一次请求的全部任务"),
        {200: Answer(("The batch", "批次"), {_JSON: ref("Batch")}, ("ETag",)), 304: _UNCHANGED},
        LOOK,
        ("batch_id", "If-None-Match"),
        curl="curl {base}/api/batches/$batch",
    ),
    Operation(
        "POST",
        "/api/batches/{batch_id}/cancel",
        "cancelBatch",
        "batches",
        ("Stop whatever has not ended", "取消所有未结束的任务"),
        {200: Answer(("The batch", "批次"), {_JSON: ref("Batch")})},
        LOOK,
        ("batch_id",),
        curl="curl -X POST {base}/api/batches/$batch/cancel",
    ),
    Operation(
        "GET",
        "/api/batches/{batch_id}/events",
        "followBatch",
        "events",
        ("Server-Sent Events of a batch", "批次的 Server-Sent Events"),
        {200: _EVENTS, 204: _NOTHING_NEW},
        (errors.BadRequest, *LOOK),
        ("batch_id", "Last-Event-ID"),
        curl="curl -N {base}/api/batches/$batch/events",
    ),
    Operation(
        "GET",
        "/api/batches/{batch_id}/archive.zip",
        "getArchive",
        "batches",
        ("Every result as one ZIP", "全部结果的 ZIP"),
        {200: Answer(("The ZIP, with its exact length", "ZIP，长度精确"), {"application/zip": _BINARY}, ("Content-Disposition",))},
        (errors.Gone, *LOOK),
        ("batch_id",),
        curl="curl {base}/api/batches/$batch/archive.zip -o images.zip",
    ),
    Operation(
        "POST",
        "/api/convert",
        "convert",
        "convert",
        ("Image in, WebP out", "图片进，WebP 出"),
        _CONVERTED,
        _CONVERT_ERRORS,
        ("Content-Digest",),
        _IMAGE,
        True,
        curl="curl --data-binary @cat.jpg '{base}/api/convert?width=800' -o cat.webp",
    ),
    Operation(
        "PUT",
        "/api/convert",
        "convertFile",
        "convert",
        ("The same, for curl -T", "同上，适用于 curl -T"),
        _CONVERTED,
        _CONVERT_ERRORS,
        ("Content-Digest",),
        _IMAGE,
        True,
        curl="curl -T cat.jpg '{base}/api/convert?quality=80' -o cat.webp",
    ),
    Operation(
        "OPTIONS", "/api/uploads", "describeUploads", "uploads", ("What the server speaks", "服务器支持的协议"), {204: _VERSIONS}, is_guarded=False
    ),
    Operation(
        "POST",
        "/api/uploads",
        "createUpload",
        "uploads",
        ("Begin an upload", "开始上传"),
        {201: Answer(("Begun; send the bytes to Location", "已创建；将数据发送到 Location"), {}, ("Location", *_SAFE))},
        (*INTAKE, errors.NotFound, errors.PreconditionFailed, errors.ChecksumMismatch, errors.OffsetMismatch),
        (*_TUS, "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "Upload-Concat", "Upload-Checksum", "Idempotency-Key"),
        {tus.MEDIA_TYPE: _BINARY},
        True,
    ),
    Operation(
        "OPTIONS",
        "/api/uploads/{upload_id}",
        "describeUpload",
        "uploads",
        ("The same of one upload", "同上"),
        {204: _VERSIONS},
        (),
        ("upload_id",),
        is_guarded=False,
    ),
    Operation(
        "HEAD",
        "/api/uploads/{upload_id}",
        "showUpload",
        "uploads",
        ("Where it stands", "查询进度"),
        {200: Answer(("Where it stands", "当前位置"), {}, (*_SAFE, "Upload-Length"))},
        _TUS_ERRORS,
        ("upload_id", *_TUS),
    ),
    Operation(
        "PATCH",
        "/api/uploads/{upload_id}",
        "continueUpload",
        "uploads",
        ("More bytes", "继续上传"),
        {204: Answer(("They are safe", "数据已保存"), {}, _SAFE)},
        (*INTAKE, errors.OffsetMismatch, errors.Locked, errors.ChecksumMismatch, *_TUS_ERRORS),
        ("upload_id", *_TUS, "Upload-Offset", "Upload-Length", "Upload-Checksum"),
        {tus.MEDIA_TYPE: _BINARY},
    ),
    Operation(
        "DELETE",
        "/api/uploads/{upload_id}",
        "eraseUpload",
        "uploads",
        ("Give it up", "放弃上传"),
        {204: Answer(("Erased", "已删除"))},
        _TUS_ERRORS,
        ("upload_id", *_TUS),
    ),
    Operation(
        "POST",
        "/api/uploads/{upload_id}",
        "overrideUpload",
        "uploads",
        ("For clients that can only POST: X-HTTP-Method-Override says what is meant", "仅能使用 POST 的客户端：由 X-HTTP-Method-Override 指明方法"),
        {200: Answer(("As HEAD", "同 HEAD"), {}, _SAFE), 204: Answer(("As PATCH or DELETE", "同 PATCH 或 DELETE"), {}, _SAFE)},
        (*INTAKE, errors.MethodNotAllowed, errors.OffsetMismatch, errors.Locked, errors.ChecksumMismatch, *_TUS_ERRORS),
        ("upload_id", *_TUS),
        {tus.MEDIA_TYPE: _BINARY},
    ),
    Operation(
        "GET",
        "/api/capabilities",
        "capabilities",
        "gateway",
        ("Formats, limits, options, retention, version", "格式、限制、选项、保留时间、版本"),
        {200: Answer(("What this gateway does", "网关的功能"), {_JSON: ref("Capabilities")}, ("ETag",)), 304: _UNCHANGED},
        (),
        ("If-None-Match",),
        is_guarded=False,
        curl="curl {base}/api/capabilities",
    ),
    Operation(
        "GET",
        "/api/health",
        "health",
        "gateway",
        ("Whether all parts are within reach", "各部件是否可用"),
        {
            200: Answer(("All is well", "一切正常"), {_JSON: ref("Health")}),
            503: Answer(("“failing” names the part", "「failing」指明故障部件"), {_JSON: ref("Health")}, ("Retry-After",)),
        },
        is_guarded=False,
        curl="curl {base}/api/health",
    ),
    Operation(
        "GET",
        "/api/health/ready",
        "ready",
        "gateway",
        ("The same, as a probe", "就绪探针"),
        {200: Answer(("Ready", "就绪"), {_JSON: ref("Health")}), 503: Answer(("Not ready", "未就绪"), {_JSON: ref("Health")}, ("Retry-After",))},
        is_guarded=False,
    ),
    Operation(
        "GET",
        "/api/health/live",
        "live",
        "gateway",
        ("Whether this process answers", "存活探针"),
        {200: Answer(("It does", "存活"), {_JSON: ref("Live")})},
        is_guarded=False,
    ),
    Operation(
        "GET",
        "/api/openapi.json",
        "describeApi",
        "gateway",
        ("This description", "本说明"),
        {200: Answer(("OpenAPI 3.1", "OpenAPI 3.1"), {_JSON: {"type": "object"}}, ("ETag",)), 304: _UNCHANGED},
        (),
        ("If-None-Match",),
        is_guarded=False,
    ),
    Operation(
        "GET",
        "/api/docs",
        "readDocs",
        "gateway",
        ("This description as a page", "本说明的网页"),
        {200: Answer(("HTML", "HTML"), {"text/html": _TEXT}, ("ETag",)), 304: _UNCHANGED},
        is_guarded=False,
    ),
)
