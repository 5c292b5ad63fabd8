"""What goes over the wire at the edge: headers, codings, methods, refusals, TLS, failing replicas."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from graphql_api.cluster import Cluster
from graphql_api.processes import Edge, free_port
from tests.edge.checking.said import write_line
from tests.edge.conftest import Clusters
from tests.edge.console import NGINX
from tests.harness.databases import run

pytestmark = pytest.mark.edge

TEXT = (
    "query Card($id: ID!) { product(id: $id) { id name ratingSummary { count } reviews(first: 3) { nodes { body } } } }"
)
HASH = hashlib.sha256(TEXT.encode()).hexdigest()
GRAPHQL_JSON = "application/graphql-response+json"


def card(number: int) -> str:
    """The URL of a product's card."""
    return f'/graphql/p/{HASH}/Card?variables={{"id":"{number}"}}'


class Front:
    """An edge, its replicas, and a client."""

    def __init__(self, cluster: Cluster, edge: Edge) -> None:
        self.cluster = cluster
        self.edge = edge
        self.http = httpx.Client(base_url=f"http://{edge.listen}", timeout=20, headers={"accept-encoding": "identity"})
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": HASH}}
        self.http.post("/graphql", json={"query": TEXT, "variables": {"id": "1"}, "extensions": extensions})


def front_of(cluster: Cluster, **more: str) -> Front:
    settings = {"EDGE_WORKERS": "1", "EDGE_POST_RATE": "1000000", **more}
    settings.setdefault("EDGE_LOG", str(cluster.folder / "access.log"))
    return Front(cluster, cluster.add_edge(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", **settings))


@pytest.fixture
def front(clusters: Clusters) -> Iterator[Front]:
    made = front_of(clusters(replicas=2))
    yield made
    made.http.close()


def test_a_hit_has_the_headers_of_the_miss_and_its_age(front: Front) -> None:
    miss = front.http.get(card(1))
    time.sleep(1.1)
    hit = front.http.get(card(1))

    assert (miss.headers["x-cache"], hit.headers["x-cache"]) == ("MISS", "HIT")
    assert hit.content == miss.content
    for name in ("content-type", "etag", "cache-control", "vary", "x-content-type-options", "content-length"):
        assert hit.headers[name] == miss.headers[name]
    assert hit.headers["vary"] == "Accept, Accept-Encoding"
    assert hit.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert (miss.headers["age"], hit.headers["age"]) == ("0", "1")
    for answer in (miss, hit):
        assert not {"cache-tag", "edge-max-age", "changed", "edge-operation"} & set(answer.headers)


UNKNOWN_VALUES = 'require("edge.variables").values_are_known = function() return false end'


@pytest.mark.parametrize("lua", ["", UNKNOWN_VALUES], ids=["lent", "copied"])
def test_hits_of_the_dictionary_and_of_the_copy_are_one_answer(clusters: Clusters, tmp_path: Path, lua: str) -> None:
    also = tmp_path / "also.lua"
    also.write_text(lua)
    front = front_of(clusters(replicas=1), EDGE_LUA=str(also))
    miss = front.http.get(card(1))

    for _ in range(4):
        hit = front.http.get(card(1))
        same = front.http.get(card(1), headers={"if-none-match": miss.headers["etag"]})

        assert (hit.headers["x-cache"], hit.status_code, hit.content) == ("HIT", 200, miss.content)
        assert (same.headers["x-cache"], same.status_code, same.content) == ("HIT", 304, b"")
        assert hit.headers["etag"] == same.headers["etag"] == miss.headers["etag"]
        assert int(hit.headers["age"]) >= 0
    front.http.close()


def test_a_slow_reader_gets_what_it_asked_for_whoever_asks_meanwhile(front: Front) -> None:
    reviews = " ".join(f"{alias}: reviews(first: 20) {{ nodes {{ id body summary }} }}" for alias in "abcdefgh")
    text = f"query Long($id: ID!) {{ product(id: $id) {{ id {reviews} }} }}"
    hashed = hashlib.sha256(text.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashed}}
    front.http.post("/graphql", json={"query": text, "variables": {"id": "1"}, "extensions": extensions})
    urls = [f"/graphql/p/{hashed}/Long?variables=%7B%22id%22:%22{number}%22%7D" for number in range(1, 61)]
    pages = [front.http.get(url).content for url in urls]
    asked = [number % 60 for number in range(1200)]
    host, port = front.edge.listen.split(":")

    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(20)
        slow.connect((host, int(port)))
        head = "GET {} HTTP/1.1\r\nHost: edge\r\n\r\n"
        slow.sendall("".join(head.format(urls[number]) for number in asked).encode())
        for _ in range(5):
            # Others find their pages in the dictionary and among the copies, and take the places of those.
            for url, page in zip(urls, pages, strict=True):
                assert front.http.get(url).content == page
        time.sleep(1)
        # It has room for no more: the rest waits at the edge.
        assert sum(len(pages[number]) for number in asked) > 6 * 2**20
        answers = slow.makefile("rb")
        for number in asked:
            status, length = answers.readline(), 0
            assert status == b"HTTP/1.1 200 OK\r\n"
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert answers.read(length) == pages[number]


def test_every_way_to_ask_is_the_same_page(front: Front) -> None:
    front.http.get(card(2))
    extensions = json.dumps({"persistedQuery": {"version": 1, "sha256Hash": HASH}})
    same = [
        front.http.get(
            "/graphql", params={"documentId": f"sha256:{HASH}", "operationName": "Card", "variables": '{"id":"2"}'}
        ),
        front.http.get(
            "/graphql", params={"extensions": extensions, "operationName": "Card", "variables": '{ "id": "2" }'}
        ),
        front.http.get("/graphql", params={"variables": '{"id":"2"}', "id": HASH, "operationName": "Card", "utm": "x"}),
    ]

    assert [answer.headers["x-cache"] for answer in same] == ["HIT"] * 3


def test_media_types_are_pages_of_their_own(front: Front) -> None:
    plain = front.http.get(card(3))
    for state in ("MISS", "HIT", "HIT"):
        answer = front.http.get(card(3), headers={"accept": GRAPHQL_JSON})
        assert (answer.headers["content-type"], answer.headers["x-cache"]) == (f"{GRAPHQL_JSON}; charset=utf-8", state)
        assert answer.headers["etag"] != plain.headers["etag"]
    # One that nginx has no form for: kept all the same, under its own text.
    for state in ("MISS", "HIT", "HIT"):
        answer = front.http.get(card(3), headers={"accept": f"text/csv, {GRAPHQL_JSON};q=0.5"})
        assert (answer.headers["content-type"], answer.headers["x-cache"]) == (f"{GRAPHQL_JSON}; charset=utf-8", state)
    assert front.http.get(card(3), headers={"accept": "text/csv"}).status_code == 406


def test_codings_are_made_once_and_have_tags_of_their_own(front: Front) -> None:
    plain = front.http.get(card(4))
    with front.http.stream("GET", card(4), headers={"accept-encoding": "gzip"}) as answer:
        coded = b"".join(answer.iter_raw())
    again = front.http.get(card(4), headers={"accept-encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(coded) == plain.content == again.content
    assert answer.headers["etag"] == again.headers["etag"] == f'{plain.headers["etag"][:-1]}-gzip"'
    assert again.headers["x-cache"] == "HIT"
    refused = front.http.get(card(4), headers={"accept-encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in refused.headers


def test_what_the_client_has_is_not_sent_again(front: Front) -> None:
    first = front.http.get(card(5))
    for tag in (first.headers["etag"], f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}', "*"):
        again = front.http.get(card(5), headers={"if-none-match": tag})
        assert (again.status_code, again.content, again.headers["x-cache"]) == (304, b"", "HIT")
        assert again.headers["etag"] == first.headers["etag"]
    assert front.http.get(card(5), headers={"if-none-match": '"other"'}).status_code == 200


def test_head_is_get_without_a_body(front: Front) -> None:
    states = []
    for _ in range(2):
        head = front.http.head(card(6))
        states.append(head.headers["x-cache"])
    got = front.http.get(card(6))

    assert states == ["MISS", "HIT"]
    assert (head.content, head.headers["content-length"]) == (b"", str(len(got.content)))


def test_what_may_not_be_kept_is_passed_on(front: Front) -> None:
    unknown = f"/graphql/p/{'0' * 64}"
    asked = [
        front.http.get("/graphql", params={"query": "{ product(id: 1) { name } }"}),
        front.http.post("/graphql", json={"query": "{ product(id: 1) { name } }"}),
        front.http.request("QUERY", "/graphql", json={"query": "{ product(id: 1) { name } }"}),
    ]

    assert [(answer.status_code, answer.headers["x-cache"]) for answer in asked] == [(200, "BYPASS")] * 3
    assert "HIT" not in {front.http.get(unknown).headers["x-cache"] for _ in range(3)}
    assert front.http.get(unknown).json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert front.http.delete(card(1)).status_code == 405
    for path in ("/internal/changes", "/metrics", "/=post", "/=read", "/=graphql-response"):
        assert front.http.get(path).status_code == 404


def raced_by(front: Front) -> int:
    """How many fills of the edge were touched by a write before they could be kept."""
    raced: int = httpx.get(f"http://{front.edge.status}/status").json()["counts"]["raced"]
    return raced


def test_many_equal_misses_are_one_question(clusters: Clusters) -> None:
    front = front_of(clusters(replicas=2), EDGE_WORKERS="2")
    database = front.cluster.replicas[0].environment["DATABASE_URL"]
    waited = []
    for number in range(20, 30):
        run(database, "UPDATE products SET name = name || '.' WHERE product_id = $1", number)
        time.sleep(0.3)
        raced = raced_by(front)
        barrier = threading.Barrier(16)

        def ask(_: int, number: int = number, barrier: threading.Barrier = barrier) -> str:
            with httpx.Client() as client:
                barrier.wait()
                return client.get(f"http://{front.edge.listen}{card(number)}").headers["x-cache"]

        with ThreadPoolExecutor(16) as pool:
            states = list(pool.map(ask, range(16)))
        # A fill that a late change touches is not kept, and one of those who wait asks again.
        misses = 1 + raced_by(front) - raced
        assert sorted(states) == ["HIT"] * (16 - misses) + ["MISS"] * misses
        time.sleep(1.2)
        ends = [line.split() for line in (front.cluster.folder / "access.log").read_text().splitlines()[-16:]]
        filled = max(float(words[1]) for words in ends if words[7] == "MISS")
        # Who came after its end did not wait for it.
        hits = [(float(words[1]), float(words[6])) for words in ends if words[7] == "HIT"]
        waited += [answered - filled for answered, took in hits if answered - took < filled]
    waited.sort()
    assert len(waited) >= 20
    write_line(
        f"after a fill's end its {len(waited)} waiters had their answer within "
        f"{waited[len(waited) // 2] * 1000:.0f} ms (median), "
        f"{waited[int(len(waited) * 0.99) - 1] * 1000:.0f} ms (99 %)"
    )
    assert waited[len(waited) // 2] <= 0.005
    front.http.close()


def test_too_much_is_refused_in_the_form_of_graphql(front: Front) -> None:
    large = front.http.post("/graphql", content=b"x" * 300_000, headers={"content-type": "application/json"})
    assert (large.status_code, large.json()["errors"][0]["extensions"]["code"]) == (413, "BAD_REQUEST")
    long = front.http.get(f"/graphql?id={'x' * 20_000}")
    assert long.status_code == 414

    slow = front_of(front.cluster, EDGE_POST_RATE="1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: slow.http.post("/graphql", json={"query": "{ __typename }"}), range(130)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 20
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    # Reads are not counted.
    assert slow.http.get(card(1)).status_code == 200
    slow.http.close()


def test_without_replicas_it_is_503_at_once_or_an_old_answer_where_allowed(clusters: Clusters) -> None:
    cluster = clusters(replicas=1)
    honest, lenient = front_of(cluster), front_of(cluster, EDGE_STALE_SECONDS="60")
    for front in (honest, lenient):
        front.http.get(card(8))
    cluster.replicas[0].stop(signal.SIGKILL)
    time.sleep(1)

    times = []
    for _ in range(5):
        started = time.monotonic()
        refused = honest.http.get(card(8))
        times.append(time.monotonic() - started)
    assert statistics.median(times) < 0.1
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert honest.http.post("/graphql", json={"query": "{ __typename }"}).status_code == 503
    assert httpx.get(f"http://{honest.edge.listen}/readyz").status_code == 503
    old = lenient.http.get(card(8))
    assert (old.status_code, old.headers["x-cache"]) == (200, "STALE")
    assert lenient.http.get(card(9)).status_code == 503

    cluster.replicas[0].start()
    cluster.replicas[0].wait_until_ready()
    time.sleep(0.6)
    assert honest.http.get(card(8)).status_code == 200
    honest.http.close()
    lenient.http.close()


def test_tls_speaks_http_2_and_says_to_stay(clusters: Clusters, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    port = free_port()
    front = front_of(
        clusters(replicas=1),
        EDGE_TLS_CERT=str(certificate),
        EDGE_TLS_KEY=str(key),
        EDGE_TLS_LISTEN=f"127.0.0.1:{port}",
    )
    front.http.close()
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["h2"])
    with httpx.Client(verify=ssl.create_default_context(cafile=str(certificate))) as client:
        states = [client.get(f"https://127.0.0.1:{port}{card(1)}") for _ in range(2)]
    assert [answer.headers["x-cache"] for answer in states] == ["MISS", "HIT"]
    assert [answer.headers["strict-transport-security"] for answer in states] == ["max-age=31536000"] * 2

    curl = [
        "curl",
        "-sS",
        "--http2",
        "--cacert",
        str(certificate),
        "-o",
        "/dev/null",
        "-w",
        "%{http_version} %{http_code}",
    ]
    shown = {
        subprocess.run(
            [*curl, "-g", f"https://127.0.0.1:{port}{card(n)}"], check=True, capture_output=True, text=True
        ).stdout
        for n in (1, 2, 2)
    }
    assert shown == {"2 200"}


def test_the_log_names_operation_and_state_and_the_clients_own_id(front: Front) -> None:
    for _ in range(2):
        front.http.get(card(10), headers={"x-request-id": "a-clients-own-id"})
    front.http.get("/graphql", params={"query": "{ __typename }"})
    time.sleep(1.5)
    lines = (front.cluster.folder / "access.log").read_text().splitlines()

    form = re.compile(r"127\.0\.0\.1 \d+\.\d{3} (\w+) (\S+) (\d+) \d+ \d+\.\d{3} (\w+) (\S+)")
    told = [match.groups() for line in lines if (match := form.fullmatch(line))]
    assert len(told) == len(lines)
    assert ("GET", "Card", "200", "MISS", "a-clients-own-id") in told
    assert ("GET", "Card", "200", "HIT", "-") in told
    assert any(line[0] == "GET" and line[3] == "BYPASS" for line in told)


def test_a_trusted_proxy_is_believed_and_nobody_else(clusters: Clusters) -> None:
    cluster = clusters(replicas=1)
    for trusted, shown in (("127.0.0.1", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")):
        log = cluster.folder / f"{shown}.log"
        front = front_of(cluster, EDGE_TRUSTED_PROXIES=trusted, EDGE_LOG=str(log))
        front.http.get(card(1), headers={"x-forwarded-for": "198.51.100.7, 203.0.113.9"})
        time.sleep(1.5)
        assert log.read_text().splitlines()[-1].split()[0] == shown
        front.http.close()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("EDGE_WORKERS", "many", "it must be a whole number from 1 to 256"),
        ("EDGE_CACHE_MIB", "0", "it must be a whole number from 1 to 65536"),
        ("EDGE_UPSTREAM", "gateway", "each replica is host:port"),
        ("EDGE_UPSTREAM", " ", "names no replica"),
        ("EDGE_LISTEN", "8080; evil", "letters, digits"),
        ("EDGE_STATUS", "127.0.0.1:8080", "both on port 8080"),
        ("EDGE_TLS_CERT", "missing.pem", "cannot be read"),
        ("EDGE_CASHE_MIB", "5", "is not known"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_the_start_with_a_sentence(
    nginx: str, tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    assert nginx
    done = subprocess.run(
        [str(NGINX / "run.sh"), "--check", str(tmp_path / "edge")],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_every_setting_is_in_the_page_on_the_edge(nginx: str) -> None:
    assert nginx
    script, page = (NGINX / "run.sh").read_text(), (NGINX.parent / "docs" / "edge.md").read_text()
    known = set(re.findall(r"EDGE_[A-Z_]+", script.split("for name in")[0]))
    assert {name for name in known if f"`{name}`" not in page} == set()


def test_a_mutation_through_the_edge_is_seen_by_the_next_read(front: Front) -> None:
    page = front.http.get(card(11)).json()["data"]["product"]
    assert front.http.get(card(11)).headers["x-cache"] == "HIT"
    number = base64.urlsafe_b64decode(page["id"] + "==").decode().rpartition(":")[2]
    found = front.http.post(
        "/graphql", json={"query": f'{{ product(id: "{number}") {{ reviews(first: 1) {{ nodes {{ id }} }} }} }}'}
    )
    (review,) = found.json()["data"]["product"]["reviews"]["nodes"]
    report = {"query": f'mutation {{ reportReview(input: {{ reviewId: "{review["id"]}" }}) {{ deletedReviewId }} }}'}
    assert "errors" not in front.http.post("/graphql", json=report).json()

    after = front.http.get(card(11))
    assert after.headers["x-cache"] == "MISS"
    assert after.json()["data"]["product"]["ratingSummary"]["count"] == page["ratingSummary"]["count"] - 1
