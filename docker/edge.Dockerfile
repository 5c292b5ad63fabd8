# The edge: nginx with Lua, before the replicas. Built from the root of the repository:
#   docker build -f docker/edge.Dockerfile -t reviews-edge .
ARG DEBIAN_IMAGE=debian:bookworm-slim
FROM ${DEBIAN_IMAGE}

RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx libnginx-mod-http-lua lua-cjson libbrotli1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10002 --no-create-home --shell /usr/sbin/nologin edge
COPY nginx /srv/edge

ENV EDGE_LISTEN=8080 \
    EDGE_TLS_LISTEN=8443 \
    EDGE_STATUS=127.0.0.1:8081 \
    EDGE_UPSTREAM=gateway:8000
USER 10002
EXPOSE 8080 8443
# nginx ends in good order with it.
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
    CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /livez HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q 200 <&3"]
ENTRYPOINT ["/srv/edge/run.sh"]
# A folder in memory: what is written there is made anew at each start.
CMD ["/tmp/edge"]
