# What loads the shop's files, or makes a shop up: python -m etl. Built from the root of the repository:
#   docker build -f docker/etl.Dockerfile -t reviews-etl .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE}

COPY requirements.txt /
RUN python3 -m venv /opt/reviews \
    && /opt/reviews/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /requirements.txt
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin reviews
WORKDIR /srv/reviews
COPY loaders loaders
COPY graphql_api graphql_api
COPY etl etl

ENV PATH=/opt/reviews/bin:$PATH \
    PYTHONPATH=/srv/reviews \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    REVIEWS_STATE=/tmp/reviews
USER 10001
ENTRYPOINT ["python3", "-m", "etl"]
CMD ["--help"]
