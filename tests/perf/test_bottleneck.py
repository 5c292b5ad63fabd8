"""The part that keeps a system from answering more, by what each part uses of what it can have."""

from __future__ import annotations

from perf.ladder.bottleneck import Bottleneck, Use, bottleneck

IDLE = Use(0.1, 1, "its one thread")


def test_a_part_at_its_quota_is_the_bottleneck() -> None:
    uses = {
        "load generator": IDLE,
        "replicas": Use(0.45, 0.6, "the quotas of all replicas"),
        "PostgreSQL": Use(0.49, 0.5, "its quota"),
    }
    assert bottleneck(uses, machine=1.2, cores=2) == Bottleneck(
        "PostgreSQL", "PostgreSQL used 0.49 of 0.50 cores (98%), its quota."
    )


def test_the_fullest_of_several_full_parts_is_named_first() -> None:
    uses = {"replicas": Use(0.57, 0.6, "the quotas of all replicas"), "PostgreSQL": Use(0.49, 0.5, "its quota")}
    assert bottleneck(uses, machine=1.3, cores=2) == Bottleneck(
        "PostgreSQL", "PostgreSQL used 0.49 of 0.50 cores (98%), its quota. Nearly as full: replicas (95%)."
    )


def test_a_full_load_generator_is_named_as_any_other_part() -> None:
    uses = {"load generator": Use(0.97, 1, "its one thread"), "edge": Use(0.3, 0.4, "its quota")}
    assert bottleneck(uses, machine=1.4, cores=2).part == "load generator"


def test_the_machine_is_full_where_no_part_is() -> None:
    uses = {"load generator": IDLE, "replicas": Use(1.1, 2, "one thread each"), "PostgreSQL": Use(0.7, 2, "all cores")}
    assert bottleneck(uses, machine=1.95, cores=2) == Bottleneck(
        "the machine",
        "The machine is full: 1.95 of its 2 cores are used, by replicas 1.10, PostgreSQL 0.70, load generator 0.10, "
        "everything else 0.05.",
    )


def test_nothing_is_full_where_too_little_is_asked() -> None:
    found = bottleneck({"load generator": IDLE, "replicas": Use(0.3, 0.6, "their quotas")}, machine=0.5, cores=2)
    assert found.part == "nothing"
    assert "replicas is nearest, at 50%; 0.50 of 2 cores are used" in found.reading


def test_nine_tenths_of_a_limit_are_full() -> None:
    assert bottleneck({"edge": Use(0.45, 0.5, "its quota")}, machine=0.5, cores=2).part == "edge"
    assert bottleneck({"edge": Use(0.449, 0.5, "its quota")}, machine=0.5, cores=2).part == "nothing"
