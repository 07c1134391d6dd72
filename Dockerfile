# The gateway as an image: all roles, chosen by the argument (none: everything; or gateway, encoder, redis), as with ./start.sh.
#   docker build -t webp-gateway .
#   docker run -d --init -p 5000:5000 -v webp-data:/data --restart unless-stopped webp-gateway
#
# The base is pinned by its tag: Debian 12 "bookworm" with Python 3.13, which gets security fixes under that name. For a build that
# is the same for ever, give a digest: --build-arg BASE=docker.io/library/python:3.13-slim-bookworm@sha256:…
ARG BASE=docker.io/library/python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /app
COPY requirements.txt start.sh ./
COPY backend/__init__.py backend/errors.py backend/supervisor.py backend/terminal.py backend/usage.py backend/
COPY backend/installation backend/installation
COPY backend/texts backend/texts
# The same set-up as on any machine, from the lock with hashes. pip itself is not needed afterwards.
RUN ./start.sh setup && rm -rf .venv/lib/python3*/site-packages/pip .venv/lib/python3*/site-packages/pip-* /root/.cache
COPY gunicorn.conf.py run.py LICENSE ./
COPY backend backend
COPY frontend frontend
RUN .venv/bin/python -m compileall -q backend run.py

FROM ${BASE}
LABEL org.opencontainers.image.title="WebP Gateway" \
      org.opencontainers.image.description="Upload images, watch them become WebP, fetch the result" \
      org.opencontainers.image.licenses="MIT"
# Nothing of the code belongs to the user that runs it; only /data is its own.
RUN groupadd --gid 10001 gateway && useradd --uid 10001 --gid gateway --no-create-home --home-dir /nonexistent gateway \
    && install -d -o gateway -g gateway -m 0700 /data
COPY --from=build /app /app
WORKDIR /app
ENV API_HOST=0.0.0.0 \
    API_PORT=5000 \
    GATEWAY_DATA_DIR=/data \
    GATEWAY_LOG_FORMAT=json \
    GATEWAY_IN_CONTAINER=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
EXPOSE 5000
# Asks /api/health, so it tells of Redis, store and encoders too. An encoder's own question is `./start.sh health encoder`.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 CMD ["./start.sh", "health"]
ENTRYPOINT ["./start.sh"]
