"""A report as people read it."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from etl.report import LINES_SHOWN, Report

_PLAIN_WIDTH = 160


def console(*, error: bool = False) -> Console:
    """The terminal, or a plain stream wide enough for the tables where there is none."""
    screen = Console(stderr=error, highlight=False)
    return screen if screen.is_terminal else Console(stderr=error, highlight=False, width=_PLAIN_WIDTH)


def show(report: Report, screen: Console) -> None:
    """Print ``report``: a row a file, then why rows were rejected.

    A load that only inserted says so once: what is loaded is what was inserted then.
    """
    columns = {"read": "read", "loaded": "loaded"}
    if any(file.updated or file.unchanged for file in report.files):
        columns |= {"inserted": "inserted", "updated": "updated", "unchanged": "unchanged"}
    if any(file.missing for file in report.files):
        columns["missing"] = "missing"
    if any(file.pruned for file in report.files):
        columns["pruned"] = "pruned"
    columns["rejected"] = "refused"
    frame = box.SIMPLE_HEAD if screen.is_terminal else None
    counts = Table(box=frame, pad_edge=False)
    counts.add_column("file", overflow="fold")
    for heading in columns:
        counts.add_column(heading, justify="right")
    for file in report.files:
        counts.add_row(file.file, *(f"{getattr(file, attribute):,}" for attribute in columns.values()))
    screen.print(counts)
    if report.placeholders:
        screen.print(f"{report.placeholders:,} products were made up by number: there is no product.csv.")
    _show_reasons(report, screen)
    if report.loaded_before and report.carried_on:
        screen.print(f"Finished: {report.carried_on}.")
    elif report.loaded_before:
        screen.print(f"{report.source} is what the last load has loaded: nothing was done.")
    else:
        if report.carried_on:
            screen.print(f"Carried on from an interrupted load: {report.carried_on}.")
        rate = report.rows / report.seconds if report.seconds else 0
        screen.print(f"{report.rows:,} rows in {report.seconds:,.1f} s, {rate:,.0f} a second.")


def _show_reasons(report: Report, screen: Console) -> None:
    rejected = [(file.file, reason) for file in report.files for reason in file.reasons]
    if not rejected:
        return
    frame = box.SIMPLE_HEAD if screen.is_terminal else None
    reasons = Table(box=frame, pad_edge=False)
    for heading in ("file", "rejected because", "lines"):
        reasons.add_column(heading)
    reasons.add_column("rows", justify="right")
    for name, reason in rejected:
        more = ", …" if reason.count > LINES_SHOWN else ""
        lines = ", ".join(map(str, reason.lines)) + more
        reasons.add_row(name, reason.reason, lines, f"{reason.count:,}")
    screen.print(reasons)
    screen.print(f"The rejected rows are in {report.rejects}.", soft_wrap=True)
