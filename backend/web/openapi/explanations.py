"""What lies behind each error code, and what to do: the texts of ``/problems/…`` and of the OpenAPI description."""

from __future__ import annotations

# code → language → (what happened, what to do)
EXPLANATIONS: dict[str, dict[str, tuple[str, str]]] = {
    "bad_request": {
        "en": (
            "The gateway could not make sense of the request: a method, header, range, body or protocol step does not fit this address.",
            "Read “detail”, which names the part. Compare the request with the description at /api/docs and send it again, corrected.",
        ),
        "zh-CN": (
            "网关无法理解该请求：请求方法、请求头、范围、正文或协议步骤与此地址不符。",
            "请阅读「detail」，其中指明了有误的部分。对照 /api/docs 的说明改正后重新发送。",
        ),
    },
    "unauthorized": {
        "en": (
            "The operator has set API keys, and the request brought none or a wrong one.",
            "Ask the operator for a key and send it as “Authorization: Bearer KEY”; over Socket.IO as auth.key.",
        ),
        "zh-CN": (
            "管理员设置了 API 密钥，而请求没有携带密钥或密钥有误。",
            "请向管理员索取密钥，并以「Authorization: Bearer 密钥」发送；Socket.IO 则使用 auth.key。",
        ),
    },
    "not_found": {
        "en": (
            "There is nothing at this address. A job that never was, one that was deleted or has expired, and somebody else’s all look alike.",
            "Check the address. Jobs are erased at their “expires_at”; convert the image again if you still need it.",
        ),
        "zh-CN": (
            "此地址没有内容。不存在的任务、已删除或过期的任务以及他人的任务都会得到这个答复。",
            "请检查地址。任务到达「expires_at」后会被删除；如仍需要，请重新转换图片。",
        ),
    },
    "not_ready": {
        "en": (
            "The job has not ended yet, so there is no result to fetch.",
            "Follow its events, or ask for the job with “Prefer: wait=20” until its state is “succeeded”.",
        ),
        "zh-CN": ("任务尚未结束，还没有可下载的结果。", "请订阅任务事件，或用「Prefer: wait=20」查询任务，直到状态为「succeeded」。"),
    },
    "already_finished": {
        "en": (
            "The job ended before the cancel arrived. An end stands for good.",
            "Nothing is left to stop. DELETE the job if its source and result should go.",
        ),
        "zh-CN": ("取消请求到达之前任务已经结束，结束状态不再改变。", "无需再取消。如需删除原图和结果，请对任务使用 DELETE。"),
    },
    "offset_mismatch": {
        "en": (
            "The bytes of a resumable upload were sent for another position than the one where it stands.",
            "Ask with HEAD for Upload-Offset and continue exactly there.",
        ),
        "zh-CN": ("续传数据的起始位置与上传当前的位置不一致。", "请用 HEAD 查询 Upload-Offset，并从该处继续。"),
    },
    "gone": {
        "en": (
            "There is no result: the job failed or was cancelled, or the file has been erased.",
            "Look at the job’s “state” and “error”. POST …/retry converts the same source again for as long as the job is kept.",
        ),
        "zh-CN": (
            "没有结果：任务失败或已取消，或者文件已被删除。",
            "请查看任务的「state」和「error」。在任务保留期间可用 POST …/retry 重新转换同一原图。",
        ),
    },
    "too_large": {
        "en": (
            "The image, or the upload, has more bytes than the gateway takes or than were announced.",
            "The limit is at /api/capabilities under limits.upload_bytes. Make the file smaller, or ask the operator to raise it.",
        ),
        "zh-CN": (
            "图片或上传的字节数超过了网关的上限或事先声明的长度。",
            "上限见 /api/capabilities 的 limits.upload_bytes。请缩小文件，或联系管理员提高上限。",
        ),
    },
    "unsupported_format": {
        "en": (
            "The file’s own bytes say that it is not an image which this gateway reads; its name and declared type do not matter. "
            "Or the body came with another Content-Type than this address asks for.",
            "The formats are listed at /api/capabilities. Export the image as one of them.",
        ),
        "zh-CN": (
            "根据文件内容判断，这不是本网关可读取的图片（文件名和声明的类型不起作用）；或者正文的 Content-Type 与此地址的要求不符。",
            "支持的格式见 /api/capabilities。请将图片导出为其中一种。",
        ),
    },
    "invalid_option": {
        "en": (
            "An option has a name that does not exist, a value that cannot be, or excludes another one.",
            "“option” names it and “suggestion” the nearest that is valid. All options are at /api/docs and /api/capabilities.",
        ),
        "zh-CN": (
            "某个选项名称不存在、取值无效，或与另一个选项互斥。",
            "「option」指出该选项，「suggestion」给出最接近的有效值。全部选项见 /api/docs 和 /api/capabilities。",
        ),
    },
    "damaged_image": {
        "en": (
            "The upload was complete, but the image data inside is broken and could not be decoded to its end.",
            "Open it in a viewer; export or copy it again from where it came from.",
        ),
        "zh-CN": ("上传完整，但其中的图片数据已损坏，无法解码到末尾。", "请用看图软件检查，并从来源处重新导出或复制。"),
    },
    "too_many_pixels": {
        "en": (
            "Width × height × frames, or the memory for decoding them, is beyond the bound that protects the machine.",
            "The bound is at /api/capabilities under limits.pixels. Make the image smaller first.",
        ),
        "zh-CN": (
            "宽 × 高 × 帧数，或解码所需的内存，超过了保护服务器的上限。",
            "上限见 /api/capabilities 的 limits.pixels。请先缩小图片。",
        ),
    },
    "too_many_frames": {
        "en": (
            "The animation has more frames than the gateway takes.",
            "Shorten it, or take its first frame only with animation=first.",
        ),
        "zh-CN": ("动图的帧数超过上限。", "请缩短动图，或用 animation=first 只取第一帧。"),
    },
    "empty_file": {
        "en": ("The file that arrived has no bytes.", "Wait until it is written completely, and send it again."),
        "zh-CN": ("收到的文件没有内容。", "请等待文件写入完成后重新发送。"),
    },
    "rate_limited": {
        "en": (
            "More requests came from this key or address than the operator allows in the time.",
            "Wait as many seconds as Retry-After says. RateLimit and RateLimit-Policy tell what is left.",
        ),
        "zh-CN": (
            "此密钥或地址在规定时间内的请求数超过了管理员允许的数量。",
            "请等待 Retry-After 所示的秒数。RateLimit 与 RateLimit-Policy 说明剩余额度。",
        ),
    },
    "internal": {
        "en": (
            "Something broke inside the gateway. It was not the request’s fault, and the operator’s log has the details.",
            "Try again. If it happens again, give the operator the request id or the job’s id.",
        ),
        "zh-CN": ("网关内部出错，与请求无关，详情在管理员的日志中。", "请重试。若再次出现，请将请求编号或任务编号提供给管理员。"),
    },
    "queue_full": {
        "en": (
            "So many images are waiting already that another one would wait too long.",
            "Send it again after the seconds in Retry-After. Nothing that was accepted is lost.",
        ),
        "zh-CN": ("等待转换的图片已经太多。", "请在 Retry-After 所示的秒数后重新发送。已接收的内容不会丢失。"),
    },
    "backend_unavailable": {
        "en": (
            "Redis, the storage or the encoders cannot be reached at the moment.",
            "Try again after the seconds in Retry-After; /api/health names the part. Nothing that was accepted is lost.",
        ),
        "zh-CN": (
            "Redis、存储或编码器暂时无法访问。",
            "请在 Retry-After 所示的秒数后重试；/api/health 会指明故障部件。已接收的内容不会丢失。",
        ),
    },
    "encode_timeout": {
        "en": (
            "The conversion took longer than the operator gives to one image, and was stopped.",
            "Choose a lower method, a smaller size, or fewer frames.",
        ),
        "zh-CN": ("转换时间超过了管理员为单张图片设定的上限，已被停止。", "请降低编码强度（method）、缩小尺寸或减少帧数。"),
    },
    "storage_full": {
        "en": (
            "The server has too little storage left to take the image safely.",
            "Your file is fine. Try again later, or tell the operator.",
        ),
        "zh-CN": ("服务器的存储空间不足，无法安全接收图片。", "您的文件没有问题。请稍后重试，或通知管理员。"),
    },
}
