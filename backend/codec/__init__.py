"""Pixels: an untrusted image in, WebP out, in a sealed process that dies with its job.

::

    sealed.SealedCodec ── keeper ──▶ zygote (exec'd, libraries loaded, no secrets)
        ▲  convert()                    │ fork, one for each job
        │  percent, verdict (wire)      ▼
        └──────────────────────────── child: bounds, seal ▶ pipeline: decode ▶ transform ▶ encode

Law: only the child touches an image's bytes beyond its header. What the child says is checked before it is believed: it may be
in a stranger's hands. This room knows no Redis, no HTTP and no file name.
"""
