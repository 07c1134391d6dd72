"""What several operations of the API's description share: parameters, headers, the words for options, and the tags in their order."""

from __future__ import annotations

from typing import Any

from backend.core import tus
from backend.web.openapi.schemas import ID, TEXT, Schema

Text = tuple[str, str]
"""English and Simplified Chinese."""


def _parameter(name: str, where: str, schema: Schema, what: Text, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "what": what, **more}


PARAMETERS: dict[str, dict[str, Any]] = {
    "job_id": _parameter("job_id", "path", ID, ("The job’s id", "任务编号")),
    "batch_id": _parameter("batch_id", "path", ID, ("The batch’s id", "批次编号")),
    "upload_id": _parameter("upload_id", "path", ID, ("The upload’s id", "上传编号")),
    "Prefer": _parameter(
        "Prefer",
        "header",
        TEXT,
        ("wait=N: answer within N ≤ 30 s, once there is news (RFC 7240)", "wait=N：有变化时或最多 N ≤ 30 秒后答复（RFC 7240）"),
    ),
    "Idempotency-Key": _parameter(
        "Idempotency-Key",
        "header",
        TEXT,
        ("The same key within 24 h gives the same job or upload; with another request 422", "24 小时内相同的键得到同一任务或上传；请求不同则为 422"),
    ),
    "Content-Digest": _parameter(
        "Content-Digest", "header", TEXT, ("RFC 9530; bytes that do not have this digest are refused", "RFC 9530；摘要不符的正文会被拒绝")
    ),
    "If-None-Match": _parameter("If-None-Match", "header", TEXT, ("The ETag that is known already", "已知的 ETag")),
    "If-Match": _parameter("If-Match", "header", TEXT, ("Only if the file still has this ETag; else 412", "仅当文件仍为此 ETag 时；否则 412")),
    "Range": _parameter("Range", "header", TEXT, ("One range of bytes (RFC 9110 §14)", "一个字节范围（RFC 9110 §14）")),
    "If-Range": _parameter("If-Range", "header", TEXT, ("The range only if the file still has this ETag", "仅当文件仍为此 ETag 时返回范围")),
    "Last-Event-ID": _parameter("Last-Event-ID", "header", {"type": "string", "pattern": "^[0-9]*$"}, ("Resume after this seq", "从此 seq 之后继续")),
    "after": _parameter("after", "query", {"type": "integer", "minimum": 0}, ("Resume after this seq", "从此 seq 之后继续")),
    "download": _parameter("download", "query", TEXT, ("Offer it for saving", "作为附件下载"), allowEmptyValue=True),
    "state": _parameter(
        "state",
        "query",
        {"type": "array", "items": {"$ref": "#/components/schemas/State"}},
        ("Only these states", "仅限这些状态"),
        style="form",
        explode=False,
    ),
    "limit": _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, ("How many at most", "最多返回多少个")),
    "cursor": _parameter("cursor", "query", TEXT, ("From the “next” of the page before", "来自上一页的「next」")),
    "Tus-Resumable": _parameter("Tus-Resumable", "header", {"const": tus.VERSION}, ("The protocol’s version", "协议版本"), required=True),
    "Upload-Length": _parameter("Upload-Length", "header", {"type": "integer", "minimum": 0}, ("Size of the file in bytes", "文件字节数")),
    "Upload-Defer-Length": _parameter("Upload-Defer-Length", "header", {"const": 1}, ("The size is told later", "稍后告知大小")),
    "Upload-Metadata": _parameter(
        "Upload-Metadata", "header", TEXT, ("filename and conversion options, each value in Base64", "filename 与转换选项，值为 Base64")
    ),
    "Upload-Concat": _parameter("Upload-Concat", "header", TEXT, ("partial, or final; and its parts", "partial，或 final; 及其分段")),
    "Upload-Offset": _parameter(
        "Upload-Offset", "header", {"type": "integer", "minimum": 0}, ("Where these bytes belong", "这些字节的位置"), required=True
    ),
    "Upload-Checksum": _parameter("Upload-Checksum", "header", TEXT, ("algorithm and digest in Base64", "算法与 Base64 摘要")),
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
    "X-Request-Id": (TEXT, ("The request’s id: yours, if it was one", "请求编号；若请求携带有效编号则原样返回")),
    "Location": (TEXT, ("Address of the new thing", "新资源的地址")),
    "Retry-After": ({"type": "integer", "minimum": 0}, ("Seconds", "秒数")),
    "ETag": (TEXT, ("Weak and the seq for a job; strong and the SHA-256 for bytes", "任务为弱 ETag（seq）；文件为强 ETag（SHA-256）")),
    "Link": (TEXT, ('rel="next": the next page; rel="job": the job of an upload', 'rel="next"：下一页；rel="job"：上传所成的任务')),
    "Preference-Applied": (TEXT, ("The wait that was applied", "实际采用的等待时间")),
    "RateLimit": (TEXT, ("What is left (draft-ietf-httpapi-ratelimit-headers-10)", "剩余额度")),
    "RateLimit-Policy": (TEXT, ("What is allowed", "限额策略")),
    "Server-Timing": (TEXT, ("receive, queue, convert, total in ms", "接收、排队、转换、总计（毫秒）")),
    "Content-Disposition": (TEXT, ("RFC 6266, with filename*", "RFC 6266，含 filename*")),
    "Content-Range": (TEXT, ("Which part this is", "所返回的范围")),
    "Accept-Ranges": (TEXT, ("bytes", "bytes")),
    "Tus-Resumable": (TEXT, ("1.0.0", "1.0.0")),
    "Tus-Version": (TEXT, ("1.0.0", "1.0.0")),
    "Tus-Extension": (TEXT, ("The extensions", "支持的扩展")),
    "Tus-Max-Size": ({"type": "integer"}, ("Bytes of one upload at most", "单个上传的字节上限")),
    "Upload-Offset": ({"type": "integer", "minimum": 0}, ("Bytes that are safe", "已安全保存的字节数")),
    "Upload-Length": ({"type": "integer", "minimum": 0}, ("Size of the file", "文件大小")),
    "Upload-Expires": (TEXT, ("When it is given up", "失效时间")),
}
TAGS: dict[str, Text] = {
    "jobs": ("Take images, show jobs, stop them, hand out results", "接收图片，查询、取消任务，取得结果"),
    "events": ("A job’s changes as they happen", "任务的实时变化"),
    "batches": ("Several images as one", "多张图片作为一个批次"),
    "convert": ("Image in, WebP out, in one request", "一次请求完成转换"),
    "uploads": ("Resumable uploads: tus 1.0.0", "断点续传：tus 1.0.0"),
    "gateway": ("What it can do and how it is", "功能与状态"),
}
