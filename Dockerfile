# Two images: `relay` (the default) and `backend`, the example that docker-compose.yml runs beside it.

FROM debian:bookworm-slim AS backend
# The relay's group: it owns the directory with the sockets, and the socket files are writable by it.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-fastapi python3-uvicorn python3-zmq \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && groupadd --gid 10001 syncrelay \
    && useradd --uid 10002 --gid 10001 --no-create-home --shell /usr/sbin/nologin backend \
    && install -d -o 10001 -g 10001 -m 2770 /run/syncrelay
COPY clients/python/src/syncrelay /usr/lib/python3/dist-packages/syncrelay
COPY examples/backend /app
WORKDIR /app
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 SYNCRELAY_RUNTIME_DIR=/run/syncrelay
USER 10002:10001
EXPOSE 8000
CMD ["python3", "-m", "uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8000"]

FROM debian:bookworm-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY scripts/lib/packages.sh /src/scripts/lib/
RUN . /src/scripts/lib/packages.sh && install_missing "${build_packages[@]}"
WORKDIR /src
COPY meson.build meson_options.txt ./
COPY include include
COPY src src
# Embedded in the program: the door's description, and the browser client for the page.
COPY docs/openapi.json docs/
COPY examples/backend/page/syncrelay.js examples/backend/page/
COPY docs/openapi.json docs/
COPY subprojects subprojects
RUN meson setup /build --buildtype=release --unity=on --unity-size=40 -Dtests=false \
    && ninja -C /build syncrelay \
    && strip /build/syncrelay

FROM debian:bookworm-slim AS relay
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libev4 libhiredis0.14 libspdlog1.10 libsqlite3-0 libssl3 libwebsockets-evlib-ev libwebsockets17 libzmq5 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && groupadd --gid 10001 syncrelay \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin syncrelay \
    && install -d -o 10001 -g 10001 -m 2770 /run/syncrelay \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/syncrelay
COPY --from=build /build/syncrelay /usr/bin/syncrelay
ARG CREATED=1970-01-01T00:00:00Z
ARG REVISION=unknown
ARG VERSION=0.2.0
# The program fails here, not at the first start, when a library is missing. What the image is made of lies in it.
COPY packaging/sbom.sh /tmp/
RUN syncrelay --version \
    && install -d /usr/share/syncrelay \
    && sh /tmp/sbom.sh "$(syncrelay --version | sed 's/.* //')" "$CREATED" >/usr/share/syncrelay/sbom.spdx.json \
    && rm /tmp/sbom.sh
LABEL org.opencontainers.image.title="syncrelay" \
      org.opencontainers.image.description="Keeps every browser in step with a backend" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
ENV SYNCRELAY_RUNTIME_DIR=/run/syncrelay
USER 10001:10001
EXPOSE 8642
HEALTHCHECK --interval=3s --timeout=3s --start-period=10s --retries=3 CMD ["syncrelay", "healthcheck"]
ENTRYPOINT ["syncrelay"]
CMD ["serve"]
