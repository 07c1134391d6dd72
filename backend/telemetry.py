"""Error reports to Sentry and traces by OpenTelemetry: both off unless asked for, both optional packages (``pip install '.[sentry,traces]'``).

``start`` is called in each process after its fork, because the threads and connections of both packages do not survive one. No image, body,
header, query or local variable is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backend import __version__, logs
from backend.settings import Settings

NAME = "webp-gateway"
_tracer: Any = None


def start(settings: Settings, role: str, app: Any = None) -> None:
    """Begin what ``settings`` ask for. ``role`` names the kind of process in what is sent; requests of the Flask application ``app`` are traced."""
    if settings.sentry_dsn:
        _start_sentry(settings.sentry_dsn, role)
    if settings.traces_endpoint:
        _start_traces(settings.traces_endpoint, role, app)


@contextmanager
def span(name: str) -> Iterator[None]:
    """One span for the block, where traces are on."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name):
        yield


def _start_sentry(dsn: str, role: str) -> None:
    """Every log line of level ``error`` becomes an event; there is one for each failure."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        release=f"{NAME}@{__version__}",
        server_name="",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=_strip_request,
    )
    sentry_sdk.set_tag("role", role)


def _strip_request(event: Any, _: Any) -> Any:
    """Leave method and address of the request, without its query."""
    request = event.get("request") or {}
    event["request"] = {name: logs.redacted(request[name]) for name in ("method", "url") if name in request}
    return event


def _start_traces(endpoint: str, role: str, app: Any) -> None:
    global _tracer
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": NAME, "service.version": __version__, "gateway.role": role}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    _tracer = provider.get_tracer(NAME)
    if app is not None:
        from opentelemetry.instrumentation.flask import FlaskInstrumentor

        instrumentor: Any = FlaskInstrumentor()
        instrumentor.instrument_app(app, tracer_provider=provider, excluded_urls="api/health,metrics", response_hook=_strip_query)


def _strip_query(span: Any, _status: str, _headers: Any) -> None:
    """Leave the path. Which of the attributes there are depends on the server and on the version of OpenTelemetry's conventions."""
    for name in ("http.target", "http.url", "url.query", "url.full"):
        if known := (span.attributes or {}).get(name):
            span.set_attribute(name, "" if name == "url.query" else known.partition("?")[0])
