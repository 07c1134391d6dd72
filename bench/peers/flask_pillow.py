"""What people write first: an upload route that converts where it stands."""

import io

from flask import Flask, Response, request
from PIL import Image

app = Flask(__name__)


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/convert")
def convert() -> Response:
    width = request.args.get("width", type=int)
    with Image.open(io.BytesIO(request.get_data())) as image:
        if width and image.width > width:
            image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)  # noqa: PLW2901
        target = io.BytesIO()
        image.convert("RGB").save(target, "WEBP", quality=80, method=4)
    return Response(target.getvalue(), mimetype="image/webp")
