from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphql_api.graphiql.assets import install, main
from graphql_api.graphiql.files import ASSETS, integrity_of, read

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "graphiql-4.1.2.min.css",
    "react-18.3.1.production.min.js",
    "react-dom-18.3.1.production.min.js",
    "graphiql-4.1.2.min.js",
]


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "graphql_api.graphiql.assets", str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_names_carry_the_version() -> None:
    assert [asset.name for asset in ASSETS] == NAMES


def test_the_cdn_serves_the_file_of_the_package() -> None:
    assert [asset.cdn_url for asset in ASSETS] == [
        "https://cdn.jsdelivr.net/npm/graphiql@4.1.2/graphiql.min.css",
        "https://cdn.jsdelivr.net/npm/react@18.3.1/umd/react.production.min.js",
        "https://cdn.jsdelivr.net/npm/react-dom@18.3.1/umd/react-dom.production.min.js",
        "https://cdn.jsdelivr.net/npm/graphiql@4.1.2/graphiql.min.js",
    ]


def test_integrity_is_written_as_browsers_read_it() -> None:
    # The digest of nothing, as any SHA-384 tool gives it, in base64.
    expected = "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"

    assert integrity_of(b"") == expected


def test_install_leaves_the_intact_files_and_nothing_else(installed: Path) -> None:
    assert sorted(path.name for path in installed.iterdir()) == sorted(NAMES)
    assert [integrity_of((installed / asset.name).read_bytes()) for asset in ASSETS] == [
        asset.integrity for asset in ASSETS
    ]


def test_install_again_needs_no_npm(installed: Path, tmp_path: Path) -> None:
    done = run(installed, PATH=str(tmp_path))

    assert (done.returncode, done.stdout, done.stderr) == (0, f"GraphiQL's files are already in {installed}.\n", "")


def test_install_replaces_a_damaged_file(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    shutil.copytree(installed, folder)
    (folder / NAMES[3]).write_bytes(b"half of it")
    assert read(folder) is None

    installation = install(folder)

    assert (installation.complete, installation.sentence) == (True, f"GraphiQL's files were installed in {folder}.")
    assert read(folder) == read(installed)


def test_without_npm_one_line_says_that_the_cdn_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "files"

    done = run(folder, PATH=str(tmp_path))

    expected = "GraphiQL's files are not installed, because npm is missing: the page will load them from the CDN.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
    assert not folder.exists()


def test_when_npm_fails_one_line_says_why(requires: Callable[[str], str], tmp_path: Path) -> None:
    requires("npm")
    folder = tmp_path / "files"

    # Port 9 discards: nothing listens there.
    done = run(folder, npm_config_registry="http://127.0.0.1:9/", npm_config_cache=str(tmp_path / "cache"))

    expected = (
        r"GraphiQL's files are not installed, because npm failed with \"npm .*ECONNREFUSED.*\": "
        r"the page will load them from the CDN\.\n"
    )
    assert re.fullmatch(expected, done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert not folder.exists()


def test_a_file_of_another_content_is_named_and_nothing_is_installed(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert installed.exists()  # npm brings the packages here
    folder = tmp_path / "files"
    expected = integrity_of(b"something else")
    assets = (*ASSETS[:3], replace(ASSETS[3], integrity=expected))

    status = main([str(folder)], assets)

    sentence = (
        f"graphiql.min.js of graphiql@4.1.2 has the integrity {ASSETS[3].integrity} where {expected} was expected; "
        "nothing was installed.\n"
    )
    assert status == 1
    assert capsys.readouterr() == ("", sentence)
    assert not folder.exists()


def test_without_a_folder_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr() == ("", "usage: python -m graphql_api.graphiql.assets DIR\n")
