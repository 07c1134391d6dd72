"""Every error the gateway raises on purpose: one tree, one table.

::

    GatewayError
    ├─ BadRequest 400 bad_request          ├─ DamagedImage 422 damaged_image
    ├─ Unauthorized 401 unauthorized       ├─ TooManyPixels 422 too_many_pixels
    ├─ NotFound 404 not_found              ├─ TooManyFrames 422 too_many_frames
    ├─ MethodNotAllowed 405 bad_request    ├─ EmptyFile 422 empty_file
    ├─ RangeNotSatisfiable 416 · Forbidden 403 · PreconditionFailed 412 · Locked 423 · ChecksumMismatch 460: bad_request
    ├─ NotReady 409 not_ready              ├─ RateLimited 429 rate_limited
    ├─ AlreadyFinished 409 …               ├─ Internal 500 internal
    ├─ OffsetMismatch 409 …                ├─ QueueFull 503 queue_full
    ├─ Gone 410 gone                       ├─ BackendUnavailable 503 …
    ├─ TooLarge 413 too_large              ├─ EncodeTimeout 504 encode_timeout
    ├─ UnsupportedFormat 415 …             └─ StorageFull 507 storage_full
    └─ InvalidOption 422 invalid_option

An error carries what the public may read: ``code`` and ``status``, fixed for ever, and ``params``, which fill the sentences in
``TEXTS`` (English and Simplified Chinese). ``private`` is for the log alone. An error that crosses a process travels as
``as_record()`` and comes back through ``from_record()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

LANGUAGES = ("en", "zh-CN")


class GatewayError(Exception):
    """Base of all; ``variant`` picks a more exact sentence of the same code from ``TEXTS``."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, variant: str = "", *, private: str = "", retry_after_s: int | None = None, **params: Any) -> None:
        super().__init__(f"{self.code}{'.' + variant if variant else ''} {params or ''} {private}".strip())
        self.variant = variant
        self.private = private
        self.params = params
        self.retry_after_s = retry_after_s

    def as_record(self) -> dict[str, Any]:
        """What a manifest, a message or an event stores of this error: no sentence, no private detail."""
        record: dict[str, Any] = {"code": self.code, "status": self.status}
        if self.variant:
            record["variant"] = self.variant
        if self.params:
            record["params"] = self.params
        return record


class BadRequest(GatewayError):
    code, status = "bad_request", 400


class Unauthorized(GatewayError):
    code, status = "unauthorized", 401


class NotFound(GatewayError):
    code, status = "not_found", 404


class MethodNotAllowed(BadRequest):
    status = 405


class Forbidden(BadRequest):
    status = 403


class PreconditionFailed(BadRequest):
    status = 412


class Locked(BadRequest):
    status = 423


class ChecksumMismatch(BadRequest):
    """tus 1.0.0's own status."""

    status = 460


class RangeNotSatisfiable(BadRequest):
    status = 416


class NotReady(GatewayError):
    code, status = "not_ready", 409


class AlreadyFinished(GatewayError):
    code, status = "already_finished", 409


class OffsetMismatch(GatewayError):
    code, status = "offset_mismatch", 409


class Gone(GatewayError):
    code, status = "gone", 410


class TooLarge(GatewayError):
    code, status = "too_large", 413


class UnsupportedFormat(GatewayError):
    code, status = "unsupported_format", 415


class InvalidOption(GatewayError):
    code, status = "invalid_option", 422


class DamagedImage(GatewayError):
    code, status = "damaged_image", 422


class TooManyPixels(GatewayError):
    code, status = "too_many_pixels", 422


class TooManyFrames(GatewayError):
    code, status = "too_many_frames", 422


class EmptyFile(GatewayError):
    code, status = "empty_file", 422


class RateLimited(GatewayError):
    code, status = "rate_limited", 429


class Internal(GatewayError):
    code, status = "internal", 500


class QueueFull(GatewayError):
    code, status = "queue_full", 503


class BackendUnavailable(GatewayError):
    code, status = "backend_unavailable", 503


class EncodeTimeout(GatewayError):
    code, status = "encode_timeout", 504


class StorageFull(GatewayError):
    code, status = "storage_full", 507


class SettingsError(Exception):
    """The settings are wrong; ``problems`` holds one line each. Ends a start with exit code 2."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


BY_CODE: dict[str, type[GatewayError]] = {kind.code: kind for kind in GatewayError.__subclasses__()}

Text = tuple[str, str]

# code or code.variant → (title, detail) in each language. Placeholders are filled from ``params``.
TEXTS: dict[str, dict[str, Text]] = {
    "bad_request": {
        "en": ("Bad request", "The request could not be understood. Check its headers and body against /api/docs."),
        "zh-CN": ("请求有误", "无法理解该请求。请对照 /api/docs 检查请求头和正文。"),
    },
    "bad_request.incomplete_body": {
        "en": ("Bad request", "The upload broke off after {received_bytes} bytes, before its end. Send it again."),
        "zh-CN": ("请求有误", "上传在第 {received_bytes} 字节处中断，未传完。请重新发送。"),
    },
    "bad_request.slow_body": {
        "en": ("Bad request", "The upload was slower than {min_bytes_per_s} bytes a second and was ended. Send it again over a better connection."),
        "zh-CN": ("请求有误", "上传速度低于每秒 {min_bytes_per_s} 字节，已被终止。请在更好的网络下重新发送。"),
    },
    "bad_request.digest": {
        "en": (
            "Bad request",
            "The body that arrived does not have the {algorithm} digest that Content-Digest states. It was damaged on its way; send it again.",
        ),
        "zh-CN": ("请求有误", "收到的正文与 Content-Digest 声明的 {algorithm} 摘要不符，数据在传输中受损。请重新发送。"),
    },
    "bad_request.multipart": {
        "en": ("Bad request", "The multipart body is malformed. Send each image as a part named “file”."),
        "zh-CN": ("请求有误", "multipart 正文格式不正确。请将每张图片作为名为「file」的部分发送。"),
    },
    "bad_request.no_file": {
        "en": ("Bad request", "No image was sent. Send it as the raw body, or as a part named “file”."),
        "zh-CN": ("请求有误", "请求中没有图片。请作为原始正文发送，或作为名为「file」的部分发送。"),
    },
    "bad_request.one_file": {
        "en": ("Bad request", "This address takes one image a request; {count} were sent. Use POST /api/jobs for several."),
        "zh-CN": ("请求有误", "此地址每次只接受一张图片，收到了 {count} 张。多张图片请使用 POST /api/jobs。"),
    },
    "bad_request.too_many_files": {
        "en": ("Bad request", "More than {limit} images were sent at once. Send them in several requests."),
        "zh-CN": ("请求有误", "一次发送的图片超过 {limit} 张。请分多次发送。"),
    },
    "bad_request.json": {
        "en": ("Bad request", 'The JSON body could not be read. Send an object such as {{"job": "…"}}.'),
        "zh-CN": ("请求有误", '无法读取 JSON 正文。请发送形如 {{"job": "…"}} 的对象。'),
    },
    "bad_request.url": {
        "en": ("Address not usable", "“url” must be a complete http:// or https:// address of an image, without a user name or a password."),
        "zh-CN": ("地址不可用", "「url」必须是图片的完整 http:// 或 https:// 地址，且不含用户名和密码。"),
    },
    "bad_request.url_off": {
        "en": ("Not possible here", "This gateway fetches nothing from other servers. Send the image itself."),
        "zh-CN": ("此处不可用", "本网关不从其他服务器获取图片。请直接发送图片。"),
    },
    "bad_request.url_forbidden": {
        "en": ("Address not allowed", "That address is not on the public Internet, so this gateway does not ask it. Send the image itself."),
        "zh-CN": ("不允许的地址", "该地址不在公共互联网上，本网关不会访问。请直接发送图片。"),
    },
    "bad_request.url_unreachable": {
        "en": (
            "Server not reached",
            "The server at that address could not be reached, or the transfer broke off. Check the address, or send the image itself.",
        ),
        "zh-CN": ("无法访问服务器", "无法连接该地址的服务器，或传输中断。请检查地址，或直接发送图片。"),
    },
    "bad_request.url_answer": {
        "en": ("No image there", "The server at that address gave no file ({answer}). Check the address, or send the image itself."),
        "zh-CN": ("该处没有图片", "该地址的服务器没有返回文件（{answer}）。请检查地址，或直接发送图片。"),
    },
    "bad_request.url_slow": {
        "en": ("Server too slow", "The server at that address was too slow and was given up. Try again later, or send the image itself."),
        "zh-CN": ("服务器过慢", "该地址的服务器过慢，已放弃。请稍后重试，或直接发送图片。"),
    },
    "bad_request.header": {
        "en": ("Bad request", "The header {header} has a value that cannot be used. Accepted: {accepted}."),
        "zh-CN": ("请求有误", "请求头 {header} 的值无法使用。可用的形式：{accepted}。"),
    },
    "bad_request.method": {
        "en": ("Method not allowed", "{method} is not possible here. Possible: {allowed}."),
        "zh-CN": ("不支持该方法", "此处不支持 {method}。可用的方法：{allowed}。"),
    },
    "bad_request.tus_version": {
        "en": ("Wrong protocol version", "This address speaks tus {supported}. Send “Tus-Resumable: {supported}” with every request."),
        "zh-CN": ("协议版本不符", "此地址使用 tus {supported} 协议。请在每个请求中发送「Tus-Resumable: {supported}」。"),
    },
    "bad_request.final_upload": {
        "en": ("Not possible here", "A final upload is made of its parts and takes no bytes itself. Send them to a partial upload."),
        "zh-CN": ("不允许的操作", "合并后的上传由各分段组成，不能直接写入。请将数据发送到分段上传。"),
    },
    "bad_request.locked": {
        "en": ("Upload in use", "Another connection is sending to this upload. Try again in {retry_after_s} s."),
        "zh-CN": ("上传正在使用", "另一个连接正在向此上传发送数据。请在 {retry_after_s} 秒后重试。"),
    },
    "bad_request.taken_over": {
        "en": ("Upload taken over", "Nothing came for a while and another connection took this upload over. Ask with HEAD where it stands."),
        "zh-CN": ("上传已被接管", "此连接一段时间没有数据，上传已由另一个连接接管。请用 HEAD 查询当前位置。"),
    },
    "bad_request.checksum": {
        "en": ("Checksum mismatch", "The bytes that arrived do not have the {algorithm} sum that was announced. Send them again from byte {offset}."),
        "zh-CN": ("校验和不符", "收到的数据与声明的 {algorithm} 校验和不符。请从第 {offset} 字节重新发送。"),
    },
    "bad_request.unfinished_part": {
        "en": ("Parts not finished", "“Upload-Concat: final” needs partial uploads that are complete; number {number} is not one."),
        "zh-CN": ("分段未完成", "「Upload-Concat: final」需要已完成的分段上传；第 {number} 个不符合要求。"),
    },
    "bad_request.precondition": {
        "en": ("Precondition failed", "The file’s ETag is {etag}, and that is not what If-Match names. Ask for the job again."),
        "zh-CN": ("前提条件不满足", "文件的 ETag 为 {etag}，与 If-Match 不符。请重新查询任务。"),
    },
    "bad_request.range": {
        "en": ("No such range", "The file has {size_bytes} bytes; the range that was asked for begins after its end."),
        "zh-CN": ("范围无效", "文件共 {size_bytes} 字节，所请求的范围超出文件末尾。"),
    },
    "bad_request.message_rate": {
        "en": ("Bad request", "Too many messages on this connection: {limit} in {seconds} s are allowed. Wait a moment."),
        "zh-CN": ("请求有误", "此连接发送消息过于频繁：{seconds} 秒内最多 {limit} 条。请稍候。"),
    },
    "bad_request.subscriptions": {
        "en": ("Bad request", "This connection already follows {limit} jobs. Unsubscribe from some first."),
        "zh-CN": ("请求有误", "此连接已订阅 {limit} 个任务。请先取消一部分订阅。"),
    },
    "unauthorized": {
        "en": ("Key needed", "This gateway asks for an API key. Send it as “Authorization: Bearer KEY”, or as auth.key over Socket.IO."),
        "zh-CN": ("需要密钥", "此网关需要 API 密钥。请用「Authorization: Bearer 密钥」发送，Socket.IO 则用 auth.key。"),
    },
    "not_found": {
        "en": ("Not found", "There is nothing at this address. It may have been deleted, or have expired."),
        "zh-CN": ("未找到", "此地址没有内容，可能已被删除或已过期。"),
    },
    "not_ready": {
        "en": ("Not ready", "The job is {state}; there is no result yet. Follow its events, or ask again in a moment."),
        "zh-CN": ("尚未完成", "任务状态为 {state}，尚无结果。请订阅其事件，或稍后再试。"),
    },
    "already_finished": {
        "en": ("Already finished", "The job has already {state}; it can no longer be cancelled."),
        "zh-CN": ("任务已结束", "任务已结束（{state}），无法再取消。"),
    },
    "offset_mismatch": {
        "en": ("Wrong offset", "The upload stands at byte {offset}. Ask with HEAD and continue from there."),
        "zh-CN": ("偏移量不符", "上传当前位于第 {offset} 字节。请用 HEAD 查询后从该处继续。"),
    },
    "gone": {
        "en": ("Gone", "This has been erased. Convert the image again to get a new result."),
        "zh-CN": ("已删除", "内容已被删除。请重新转换图片以获得新的结果。"),
    },
    "gone.state": {
        "en": ("No result", "The job ended as {state}, so there is no result. Its “error” says why; convert the image again."),
        "zh-CN": ("没有结果", "任务以 {state} 结束，没有结果。原因见其「error」字段；请重新转换图片。"),
    },
    "too_large": {
        "en": (
            "Too large",
            "The image is larger than {limit_bytes} bytes, the most this gateway takes. Shrink it first, or ask the operator to raise the limit.",
        ),
        "zh-CN": ("文件过大", "图片超过 {limit_bytes} 字节的上限。请先缩小图片，或联系管理员提高上限。"),
    },
    "too_large.upload_length": {
        "en": ("Too large", "The body goes beyond the {limit_bytes} bytes that were announced as Upload-Length. Send no more than that."),
        "zh-CN": ("数据过多", "正文超出了 Upload-Length 声明的 {limit_bytes} 字节。请勿发送更多数据。"),
    },
    "unsupported_format": {
        "en": ("Unsupported format", "This is not an image in a supported format. Accepted: {accepted}."),
        "zh-CN": ("不支持的格式", "该文件不是受支持的图片格式。支持：{accepted}。"),
    },
    "unsupported_format.named": {
        "en": ("Unsupported format", "The file is {format}, which is not accepted. Accepted: {accepted}."),
        "zh-CN": ("不支持的格式", "该文件为 {format} 格式，不受支持。支持：{accepted}。"),
    },
    "unsupported_format.variant": {
        "en": ("Unsupported format", "The image is {format}, a variant that cannot be read. Save it again as 8-bit {base}."),
        "zh-CN": ("不支持的格式", "该图片为 {format}，这种变体无法读取。请另存为 8 位的 {base}。"),
    },
    "unsupported_format.media_type": {
        "en": ("Wrong content type", "The body must come as “Content-Type: {accepted}”."),
        "zh-CN": ("内容类型不符", "正文的类型应为「Content-Type: {accepted}」。"),
    },
    "invalid_option": {
        "en": ("Invalid option", "The option “{option}” cannot be {value}. Accepted: {accepted}."),
        "zh-CN": ("选项无效", "选项「{option}」不能为 {value}。可用的值：{accepted}。"),
    },
    "invalid_option.unknown": {
        "en": ("Unknown option", "There is no option “{option}”. Did you mean “{suggestion}”?"),
        "zh-CN": ("未知选项", "没有选项「{option}」。您是否想用「{suggestion}」？"),
    },
    "invalid_option.repeated": {
        "en": ("Invalid option", "The option “{option}” was given {count} times. Give it once."),
        "zh-CN": ("选项无效", "选项「{option}」给出了 {count} 次。请只给一次。"),
    },
    "invalid_option.combination": {
        "en": ("Invalid option", "The options “{option}” and “{other}” exclude each other. Leave one out."),
        "zh-CN": ("选项无效", "选项「{option}」与「{other}」互相排斥。请去掉其中一个。"),
    },
    "invalid_option.side": {
        "en": (
            "Too long a side",
            "The result would be {width} × {height} pixels; WebP allows {limit} a side. Give “width” or “height” of at most {limit}.",
        ),
        "zh-CN": ("边长超限", "结果将为 {width} × {height} 像素，WebP 单边上限为 {limit}。请用「width」或「height」缩小到 {limit} 以内。"),
    },
    "invalid_option.idempotency": {
        "en": ("Key used before", "This Idempotency-Key was used with another request. Use a new key."),
        "zh-CN": ("密钥已使用", "此 Idempotency-Key 已用于另一个请求。请使用新的值。"),
    },
    "invalid_option.cursor": {
        "en": ("Invalid option", "This “{option}” was not made by this gateway. Begin without one, and then follow the “next” of each answer."),
        "zh-CN": ("选项无效", "此「{option}」并非由本网关给出。请先不带该参数请求，再沿用每次响应中的「next」。"),
    },
    "damaged_image": {
        "en": (
            "Damaged image",
            "The image data is broken and could not be read to its end. Export or copy it again; the upload itself was complete.",
        ),
        "zh-CN": ("图片已损坏", "图片数据损坏，无法完整读取。请重新导出或复制。上传本身是完整的。"),
    },
    "too_many_pixels": {
        "en": (
            "Too many pixels",
            "The image has {width} × {height} × {frames} = {pixels} pixels; this gateway takes {limit}. Make it smaller first.",
        ),
        "zh-CN": ("像素过多", "图片有 {width} × {height} × {frames} = {pixels} 像素，本网关上限为 {limit}。请先缩小图片。"),
    },
    "too_many_pixels.memory": {
        "en": ("Too much memory", "Decoding this image takes more memory than this gateway gives to one job. Make it smaller first."),
        "zh-CN": ("内存不足", "解码该图片所需的内存超过本网关对单个任务的上限。请先缩小图片。"),
    },
    "too_many_frames": {
        "en": ("Too many frames", "The animation has more than {limit} frames, the most this gateway takes. Shorten it first."),
        "zh-CN": ("帧数过多", "动图超过 {limit} 帧的上限。请先缩短动图。"),
    },
    "empty_file": {
        "en": ("Empty file", "The file is empty (0 bytes). Was it still being copied?"),
        "zh-CN": ("文件为空", "文件为空（0 字节），可能尚未复制完成。"),
    },
    "rate_limited": {
        "en": ("Too many requests", "More than {limit} were sent. Try again in {retry_after_s} s."),
        "zh-CN": ("请求过多", "请求超过 {limit} 的限制。请在 {retry_after_s} 秒后重试。"),
    },
    "internal": {
        "en": ("Internal error", "Something broke on the server. Give the operator the request id {request_id}."),
        "zh-CN": ("内部错误", "服务器内部出错。请将请求编号 {request_id} 提供给管理员。"),
    },
    "internal.encoder_lost": {
        "en": (
            "Internal error",
            "The encoder stopped {attempts} times while it worked on this image, so it was given up. Try again, or give the operator the job’s id.",
        ),
        "zh-CN": ("内部错误", "处理该图片时编码器中断了 {attempts} 次，已放弃。请重试，或将任务编号提供给管理员。"),
    },
    "queue_full": {
        "en": ("Queue full", "{limit} images are waiting already. Try again in {retry_after_s} s."),
        "zh-CN": ("队列已满", "已有 {limit} 张图片在等待。请在 {retry_after_s} 秒后重试。"),
    },
    "backend_unavailable": {
        "en": (
            "Temporarily unavailable",
            "A part of this gateway cannot be reached at the moment ({part}). Nothing that was accepted is lost. Try again in {retry_after_s} s.",
        ),
        "zh-CN": ("暂时不可用", "网关的一个部件（{part}）暂时无法访问。已接收的内容不会丢失。请在 {retry_after_s} 秒后重试。"),
    },
    "encode_timeout": {
        "en": ("Encoding took too long", "Encoding took longer than {limit_s} s. Choose a lower method or a smaller size."),
        "zh-CN": ("编码超时", "编码超过 {limit_s} 秒。请降低编码强度（method）或缩小尺寸。"),
    },
    "storage_full": {
        "en": ("Storage full", "The server has no disk space left. Your file is fine; try again later or tell the operator."),
        "zh-CN": ("存储空间已满", "服务器磁盘空间不足。您的文件没有问题，请稍后重试或通知管理员。"),
    },
}


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def sentences(record: Mapping[str, Any], language: str, **more: Any) -> Text:
    """Title and detail of an error record in ``language`` (one of ``LANGUAGES``, else English)."""
    code, variant = record["code"], record.get("variant")
    texts = TEXTS.get(f"{code}.{variant}") if variant else None
    title, detail = (texts or TEXTS[code]).get(language) or (texts or TEXTS[code])["en"]
    return title, detail.format_map(_Lenient({**record.get("params", {}), **more}))


def problem(record: Mapping[str, Any], language: str = "en", **more: Any) -> dict[str, Any]:
    """The RFC 9457 problem object of an error record; ``more`` fills placeholders that only the edge knows."""
    title, detail = sentences(record, language, **more)
    body = {"type": f"/problems/{record['code']}", "title": title, "status": record["status"], "detail": detail, "code": record["code"]}
    if "option" in record.get("params", {}):
        body["option"] = record["params"]["option"]
    if record.get("params", {}).get("suggestion"):
        body["suggestion"] = record["params"]["suggestion"]
    return body


def from_record(record: Mapping[str, Any]) -> GatewayError:
    """The error that ``as_record`` described, for a process at the other end."""
    kind = BY_CODE.get(record.get("code", ""), Internal)
    error = kind(record.get("variant", ""))
    error.params = dict(record.get("params", {}))
    return error
