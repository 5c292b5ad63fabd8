set -eu
data=/var/lib/postgresql/18
if [ ! -s "$data/PG_VERSION" ]; then
    mkdir -p "$data"
    printf %s "$POSTGRES_PASSWORD" >/tmp/password
    initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    # The database is made before anyone outside is listened to, as the usual image does.
    pg_ctl -D "$data" -w -o "-c listen_addresses='' -k /tmp" start >/dev/null
    PGPASSWORD=$POSTGRES_PASSWORD psql -h /tmp -U "$POSTGRES_USER" -d postgres -qc "CREATE DATABASE $POSTGRES_DB"
    pg_ctl -D "$data" -w stop >/dev/null
fi
exec postgres -D "$data" -c listen_addresses='*' -k /tmp
