"""Pixels: an untrusted image in, an output file out, in a sealed process that is used once.

::

    sealed.SealedCodec ── zygote_client ──▶ zygote (exec'd, libraries loaded, no secrets)
        ▲  convert()                           │ fork, one for each job
        │  percent, result (messages)          ▼
        └─────────────────────────────────── child: resource limits, seal ▶ pipeline: decode ▶ transform ▶ encode

Only the child reads an image's bytes beyond its header. The image may have taken the child over, so what it reports is checked before it is used.
This room knows no Redis, no HTTP and no file name.
"""
