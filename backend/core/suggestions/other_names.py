"""What other tools call the options here: names, and values of each option. Each row is right for certain, or it is not here.

Sources: the documentation of cwebp, ImageMagick, sharp, imgproxy, Thumbor, Imgix, Cloudinary, imaginary and Squoosh. Spelling is folded
(``likeness.letters``). A row counts while its option is offered.
"""

from __future__ import annotations

OPTIONS: dict[str, tuple[str, ...]] = {
    "format": ("f", "fm", "fmt", "type", "ext", "extension", "output", "outputformat", "to", "convert", "convertto"),
    "quality": ("q", "qual", "qlt", "compressionquality"),
    "lossless": ("losslesscompression", "nolossy"),
    "method": ("m", "effort", "compressionlevel", "compressionmethod", "reductioneffort"),
    "alpha_quality": ("alphaq", "aq", "qualityalpha"),
    "sharp_yuv": ("smartsubsample", "usesharpyuv"),
    "target_bytes": ("targetsize", "maxbytes", "maxfilesize", "filesize", "sizelimit", "outputsize"),
    "width": ("w", "maxwidth", "maxw", "wmax", "newwidth", "resize", "resizewidth", "rw", "size", "maxside", "maxsize"),
    "height": ("h", "maxheight", "maxh", "hmax", "newheight", "resizeheight", "rh"),
    "fit": ("mode", "resizemode", "resizingtype", "objectfit"),
    "enlarge": ("upscale", "withenlargement", "withoutenlargement"),
    "dpr": ("pixelratio", "devicepixelratio", "pixeldensity"),
    "gravity": ("position", "anchor", "align", "cropposition", "objectposition", "interesting", "smart", "smartcrop"),
    "focus": ("focalpoint", "focuspoint", "focal", "fp"),
    "background": ("bg", "bgcolor", "bgcolour", "backgroundcolor", "backgroundcolour", "matte"),
    "crop": ("rect", "extract", "region", "cropbox", "croprect"),
    "trim": ("autocrop", "autotrim", "trimborder", "trimthreshold"),
    "rotate": ("rotation", "angle", "rot"),
    "auto_orient": ("autorotate", "exifrotate", "norotation"),
    "flip": ("vflip", "flipvertical", "flipvertically", "verticalflip"),
    "flop": ("hflip", "mirror", "fliphorizontal", "fliphorizontally", "horizontalflip"),
    "blur": ("bl", "gaussianblur", "gaussblur", "blursigma", "blurradius"),
    "sharpen": ("sh", "sharp", "sharpness", "unsharp", "usm"),
    "watermark": ("wm", "overlay", "logo", "stamp"),
    "metadata": (
        *("strip", "stripmetadata", "stripexif", "exif", "keepexif", "keepmetadata", "withmetadata"),
        *("keepcopyright", "meta", "icc", "xmp", "iptc"),
    ),
    "animation": ("animated", "anim", "animate", "frames", "frame", "page", "pages", "firstframe", "static"),
    "filename": ("outputname", "outputfilename", "downloadname", "outname", "saveas"),
    "webhook_url": ("webhook", "hook", "callback", "callbackurl", "notify", "notifyurl", "postbackurl"),
}
"""Option → its other names."""
BY_NAME = {other: name for name, others in OPTIONS.items() for other in others}

STATES = {
    **dict.fromkeys(("pending", "waiting", "new", "enqueued"), "queued"),
    **dict.fromkeys(("processing", "active", "inprogress", "started", "working"), "running"),
    **dict.fromkeys(("done", "completed", "complete", "finished", "success", "successful", "ok", "ready"), "succeeded"),
    **dict.fromkeys(("error", "errored", "failure"), "failed"),
    **dict.fromkeys(("aborted", "stopped", "revoked"), "cancelled"),
}
"""A job's states as other queues call them."""
_YES = ("y", "t", "enable", "enabled")
_NO = ("n", "f", "none", "null", "nil", "disable", "disabled", "never")
BOOLEANS = {**dict.fromkeys(_YES, "true"), **dict.fromkeys(_NO, "false")}
VALUES: dict[str, dict[str, str]] = {
    "format": {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "apng": "png", "avifs": "avif"},
    "quality": {"best": "100", "max": "100", "maximum": "100", "min": "0", "minimum": "0", "automatic": "auto", "default": "80"},
    "method": {"fastest": "0", "best": "6", "slowest": "6", "max": "6", "default": "4"},
    "fit": {
        **dict.fromkeys(("crop", "fillcrop"), "cover"),
        **dict.fromkeys(("clip", "max", "fit", "limit", "scaledown", "bound", "bounds", "mfit"), "inside"),
        **dict.fromkeys(("pad", "letterbox", "lpad"), "contain"),
        **dict.fromkeys(("stretch", "distort", "scale", "force", "exact", "squash"), "fill"),
        "atleast": "outside",
    },
    "gravity": {
        **dict.fromkeys(("middle", "c", "ce", "mid"), "centre"),
        **dict.fromkeys(("top", "n", "no", "t", "up"), "north"),
        **dict.fromkeys(("bottom", "s", "so", "b", "down"), "south"),
        **dict.fromkeys(("left", "w", "we", "l"), "west"),
        **dict.fromkeys(("right", "e", "ea", "r"), "east"),
        **dict.fromkeys(("topleft", "lefttop", "nw", "nowe"), "northwest"),
        **dict.fromkeys(("topright", "righttop", "ne", "noea"), "northeast"),
        **dict.fromkeys(("bottomleft", "leftbottom", "sw", "sowe"), "southwest"),
        **dict.fromkeys(("bottomright", "rightbottom", "se", "soea"), "southeast"),
        **dict.fromkeys(("smart", "sm", "auto", "salient", "subject"), "attention"),
    },
    "metadata": {
        **dict.fromkeys(("true", "yes", "on", "keep", "1", "exif", "preserve"), "all"),
        **dict.fromkeys(("false", "no", "off", "strip", "0", "remove", "discard", ""), "none"),
    },
    "animation": {
        **dict.fromkeys(("true", "yes", "on", "all", "animated"), "keep"),
        **dict.fromkeys(("false", "no", "off", "static", "still", "none", "1", "0"), "first"),
    },
    "background": {
        **dict.fromkeys(("none", "clear", "alpha", ""), "transparent"),
        **{word: word for word in ("transparent", "white", "black")},
        "red": "#ff0000",
        "lime": "#00ff00",
        "blue": "#0000ff",
        "yellow": "#ffff00",
        "cyan": "#00ffff",
        "aqua": "#00ffff",
        "magenta": "#ff00ff",
        "fuchsia": "#ff00ff",
        "green": "#008000",
        "navy": "#000080",
        "maroon": "#800000",
        "olive": "#808000",
        "purple": "#800080",
        "teal": "#008080",
        "silver": "#c0c0c0",
        "gray": "#808080",
        "grey": "#808080",
        "orange": "#ffa500",
    },
}
"""Option → another tool's value, spelling folded → the same here. Colours are those of CSS."""
