#!/bin/sh
# Writes what differs by machine from EDGE_* of the environment into a folder, and runs nginx there, in the foreground.
#   run.sh PREFIX           run it
#   run.sh --check PREFIX   write the files and let nginx look at them
set -eu

fail() {
    echo "edge: $1" >&2
    exit 2
}

check=
if [ "${1:-}" = --check ]; then
    check=1
    shift
fi
[ $# -eq 1 ] || fail "usage: run.sh [--check] PREFIX: name the folder to run in."

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" || fail "the folder $1 cannot be made."
prefix=$(cd "$1" && pwd)

nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$nginx" ] || fail "nginx is missing: apt-get install nginx libnginx-mod-http-lua lua-cjson."
modules=
for place in /usr/lib/nginx/modules /usr/share/nginx/modules /usr/lib64/nginx/modules; do
    [ -e "$place/ngx_http_lua_module.so" ] && modules=$place && break
done
[ -n "$modules" ] || fail "nginx's Lua module is missing: apt-get install libnginx-mod-http-lua lua-cjson."

number() { # number NAME VALUE LOW HIGH
    case $2 in
        '' | *[!0-9]*) fail "$1 is '$2': it must be a whole number from $3 to $4." ;;
    esac
    [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1 is '$2': it must be a whole number from $3 to $4."
}
plain() { # plain NAME VALUE: nothing that would be more than a word of nginx's configuration
    case $2 in
        *[!A-Za-z0-9._:/@%+=\[\]-]*) fail "$1 is '$2': it may hold letters, digits and . _ : / @ % + = [ ] - only." ;;
    esac
}

: "${EDGE_LISTEN:=8080}" "${EDGE_STATUS:=127.0.0.1:8081}" "${EDGE_UPSTREAM:=127.0.0.1:8000}" "${EDGE_RESOLVER:=}"
: "${EDGE_WORKERS:=auto}" "${EDGE_CACHE_MIB:=256}" "${EDGE_TAGS_MIB:=32}" "${EDGE_STALE_SECONDS:=0}"
: "${EDGE_TRUSTED_PROXIES:=}" "${EDGE_TLS_CERT:=}" "${EDGE_TLS_KEY:=}" "${EDGE_TLS_LISTEN:=8443}"
: "${EDGE_LOG:=/dev/stdout}" "${EDGE_POST_RATE:=50}" "${EDGE_REPLICA_REQUESTS:=64}" "${EDGE_LUA:=}"
: "${EDGE_CORS_ORIGINS:=}"

known=" EDGE_LISTEN EDGE_STATUS EDGE_UPSTREAM EDGE_RESOLVER EDGE_WORKERS EDGE_CACHE_MIB EDGE_TAGS_MIB EDGE_STALE_SECONDS "
known="$known EDGE_TRUSTED_PROXIES EDGE_TLS_CERT EDGE_TLS_KEY EDGE_TLS_LISTEN EDGE_LOG EDGE_POST_RATE EDGE_REPLICA_REQUESTS EDGE_LUA "
known="$known EDGE_CORS_ORIGINS "
for name in $(env | sed -n 's/^\(EDGE_[A-Za-z0-9_]*\)=.*/\1/p'); do
    case $known in
        *" $name "*) ;;
        *) fail "$name is not known: docs/edge.md lists what can be set." ;;
    esac
done

[ "$EDGE_WORKERS" = auto ] || number EDGE_WORKERS "$EDGE_WORKERS" 1 256
number EDGE_CACHE_MIB "$EDGE_CACHE_MIB" 1 65536
number EDGE_TAGS_MIB "$EDGE_TAGS_MIB" 1 65536
number EDGE_STALE_SECONDS "$EDGE_STALE_SECONDS" 0 604800
number EDGE_POST_RATE "$EDGE_POST_RATE" 1 1000000
number EDGE_REPLICA_REQUESTS "$EDGE_REPLICA_REQUESTS" 1 100000
for name in EDGE_LISTEN EDGE_STATUS EDGE_TLS_CERT EDGE_TLS_KEY EDGE_TLS_LISTEN EDGE_LOG EDGE_LUA; do
    eval "plain $name \"\$$name\""
done
# nginx would take the second for another name of the first, and answer it from there.
[ "${EDGE_LISTEN##*:}" != "${EDGE_STATUS##*:}" ] || fail "EDGE_LISTEN and EDGE_STATUS are both on port ${EDGE_LISTEN##*:}: give one of them another."
if [ -n "$EDGE_TLS_CERT" ] || [ -n "$EDGE_TLS_KEY" ]; then
    [ -r "$EDGE_TLS_CERT" ] || fail "EDGE_TLS_CERT is '$EDGE_TLS_CERT', which cannot be read: TLS needs it and EDGE_TLS_KEY."
    [ -r "$EDGE_TLS_KEY" ] || fail "EDGE_TLS_KEY is '$EDGE_TLS_KEY', which cannot be read: TLS needs it and EDGE_TLS_CERT."
fi

lua_list() { # the words of $2, commas or blanks between them, as a Lua table of strings
    for word in $(echo "$2" | tr ',' ' '); do
        plain "$1" "$word"
        printf '"%s", ' "$word"
    done
}
for peer in $(echo "$EDGE_UPSTREAM" | tr ',' ' '); do
    case ${peer##*:} in
        "$peer" | '' | *[!0-9]*) fail "EDGE_UPSTREAM names '$peer': each replica is host:port." ;;
    esac
done
[ -n "$(echo "$EDGE_UPSTREAM" | tr -d ', ')" ] || fail "EDGE_UPSTREAM names no replica: host:port, commas between them."
[ -n "$EDGE_RESOLVER" ] || EDGE_RESOLVER=$(awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ {print $2}' /etc/resolv.conf 2>/dev/null || true)

# Sockets and temporary files: workers of root's nginx are another user, who may not be let into PREFIX, and the path of
# a socket may have 107 bytes.
run=$prefix/run
name=$(printf %s "$prefix" | cksum | tr ' ' -)
if [ "$(id -u)" = 0 ]; then
    run=/run/reviews-edge/$name
elif [ ${#run} -gt 90 ]; then
    run=${TMPDIR:-/tmp}/reviews-edge-$(id -u)/$name
fi
mkdir -p "$run"
rm -f "$run/inner.sock"

rm -rf "$prefix/conf" "$prefix/lua"
cp -R "$here/nginx.conf" "$here/conf" "$here/lua" "$prefix/"
[ -n "$EDGE_CORS_ORIGINS" ] || rm "$prefix/conf/cors.conf"
[ -n "$EDGE_TLS_CERT" ] || rm "$prefix/conf/hsts.conf"
ln -sfn "$modules" "$prefix/modules"

trusted=
for proxy in $(echo "$EDGE_TRUSTED_PROXIES" | tr ',' ' '); do
    plain EDGE_TRUSTED_PROXIES "$proxy"
    trusted="$trusted $proxy"
done
origins= any_origin=
set -f # a star is no name of files
for origin in $(echo "$EDGE_CORS_ORIGINS" | tr ',' ' '); do
    case $origin in
        '*') any_origin=1 ;;
        http://?* | https://?*)
            plain EDGE_CORS_ORIGINS "$origin"
            case ${origin#*://} in
                */*) fail "EDGE_CORS_ORIGINS names '$origin': an origin is scheme://host, and :port where it is not the usual one." ;;
            esac
            origins="$origins $origin"
            ;;
        *) fail "EDGE_CORS_ORIGINS names '$origin': an origin is scheme://host, and :port where it is not the usual one." ;;
    esac
done
set +f
brotli=0
for library in /usr/lib/*/libbrotlienc.so.1 /usr/lib/libbrotlienc.so.1 /usr/lib64/libbrotlienc.so.1; do
    [ -e "$library" ] && brotli=1
done
access="access_log $EDGE_LOG edge buffer=64k flush=1s;"
[ "$EDGE_LOG" = off ] && access="access_log off;"

{
    echo "# Written by run.sh: a change is gone with the next start."
    echo "lua_shared_dict pages ${EDGE_CACHE_MIB}m;"
    echo "lua_shared_dict tags ${EDGE_TAGS_MIB}m;"
    echo "init_by_lua_block {"
    echo "    require(\"edge.start\").master({"
    echo "        upstream = { $(lua_list EDGE_UPSTREAM "$EDGE_UPSTREAM")},"
    echo "        resolvers = { $(lua_list EDGE_RESOLVER "$EDGE_RESOLVER")},"
    echo "        stale_seconds = $EDGE_STALE_SECONDS,"
    echo "        replica_requests = $EDGE_REPLICA_REQUESTS,"
    [ -z "$EDGE_LUA" ] || echo "        also = \"$EDGE_LUA\","
    echo "    })"
    echo "}"
    for proxy in $trusted; do echo "set_real_ip_from $proxy;"; done
    echo "real_ip_header X-Forwarded-For;"
    echo "real_ip_recursive on;"
    echo "geo \$realip_remote_addr \$edge_trusted {"
    echo "    default 0;"
    for proxy in $trusted; do echo "    $proxy 1;"; done
    echo "}"
    echo "map \$http_origin \$edge_cors {"
    if [ -n "$any_origin" ]; then
        echo "    default '*';"
        echo "    '' '';"
    else
        echo "    default '';"
        for origin in $origins; do echo "    '$origin' '$origin';"; done
    fi
    echo "}"
    echo "map \$edge_cors \$edge_cors_shown { default 'ETag, Retry-After, X-Request-Id'; '' ''; }"
    vary=
    [ -n "$origins" ] && [ -z "$any_origin" ] && vary=Origin
    echo "map '' \$edge_cors_vary { default '$vary'; }"
    echo "map \$scheme \$edge_brotli { default $brotli; }"
    echo "limit_req_zone \$edge_counted zone=clients:16m rate=${EDGE_POST_RATE}r/s;"
    echo "$access"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $run/$kind;"; done
    echo "upstream inner {"
    echo "    server unix:$run/inner.sock;"
    echo "    keepalive 256;"
    echo "    keepalive_requests 1000000;"
    echo "}"
    echo "server {"
    echo "    # A client that vanished closes nothing: the system asks after those that are silent for half a minute."
    echo "    listen $EDGE_LISTEN backlog=4096 so_keepalive=30s:10s:3;"
    if [ -n "$EDGE_TLS_CERT" ]; then
        echo "    listen $EDGE_TLS_LISTEN ssl http2 backlog=4096 so_keepalive=30s:10s:3;"
        echo "    ssl_certificate $EDGE_TLS_CERT;"
        echo "    ssl_certificate_key $EDGE_TLS_KEY;"
        echo "    ssl_protocols TLSv1.2 TLSv1.3;"
        echo "    ssl_session_cache shared:tls:10m;"
        echo "    ssl_session_timeout 1d;"
        echo "    ssl_session_tickets off;"
        echo "    http2_max_concurrent_streams 256;"
    fi
    echo "    include conf/front.conf;"
    echo "}"
    [ -z "$EDGE_TLS_CERT" ] || echo "map \$https \$edge_hsts { default \"\"; on \"max-age=31536000\"; }"
    echo "server {"
    echo "    listen unix:$run/inner.sock;"
    echo "    include conf/inner.conf;"
    echo "}"
    echo "server {"
    echo "    listen $EDGE_STATUS;"
    echo "    include conf/status.conf;"
    echo "}"
} >"$prefix/machine.conf"

ulimit -n "$(ulimit -H -n)" 2>/dev/null || true
as=
if [ "$(id -u)" = 0 ]; then
    as="user www-data;"
    id www-data >/dev/null 2>&1 || as="user nobody;"
fi
# Before the replicas of the same machine, if there are any: who refuses what they have no room for must not wait for them.
first=
[ "$(nice -n -10 nice 2>/dev/null)" = -10 ] && first="worker_priority -10;"
set -- -p "$prefix/" -c "$prefix/nginx.conf" -e stderr \
    -g "daemon off; pid $run/nginx.pid; error_log stderr notice; worker_processes $EDGE_WORKERS; $first $as"
if [ -n "$check" ]; then
    exec "$nginx" -t "$@"
fi
exec "$nginx" "$@"
