"""What people write first: an upload route that converts where it stands. With ``?same=1`` it also does what a gateway has to:

the picture is turned upright and its colours are brought to sRGB, as a reader of the WebP expects them.
"""

import io

from flask import Flask, Response, request
from PIL import Image, ImageCms, ImageOps

app = Flask(__name__)
SRGB = ImageCms.createProfile("sRGB")


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/convert")
def convert() -> Response:
    width = request.args.get("width", type=int)
    with Image.open(io.BytesIO(request.get_data())) as image:
        if "same" in request.args:
            image = seen(image)  # noqa: PLW2901
        if width and image.width > width:
            image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)  # noqa: PLW2901
        target = io.BytesIO()
        image.convert("RGB").save(target, "WEBP", quality=80, method=4)
    return Response(target.getvalue(), mimetype="image/webp")


def seen(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    profile = image.info.get("icc_profile")
    if profile and image.mode == "RGB":
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" not in ImageCms.getProfileDescription(source):
            ImageCms.profileToProfile(image, source, SRGB, inPlace=True)
    return image
