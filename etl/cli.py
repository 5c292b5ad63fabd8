"""The command line of the ETL: load, generate, verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from etl.copying import CHUNK_BYTES
from etl.folder import find_folder
from etl.generating.dialects import DIALECTS
from etl.generating.dirt_answer import DIRT, REJECTED_ROWS
from etl.generating.folder import generate_dirty_folder, generate_folder
from etl.load import NO_LIMIT, load_folder
from etl.progress import FORMS, Form, watching
from etl.reject_limit import RejectLimit
from etl.report import AccountingError
from etl.show import console, show
from etl.verify import show_findings, verify_database
from graphql_api.db.location import database_of
from graphql_api.errors import OperatorError
from graphql_api.settings import Settings

OK, UNSOUND, USAGE, INTERRUPTED = 0, 1, 2, 130


class LimitType(click.ParamType[RejectLimit]):
    """The text of ``--max-rejects``."""

    name = "N|SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> RejectLimit:
        """The limit; a text that is none is a usage error."""
        if isinstance(value, RejectLimit):
            return value
        try:
            return RejectLimit.parse(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of rows nor a share like 0.5% or 0.005.", param, ctx)


class ShareType(click.ParamType[float]):
    """The text of ``--dirty``, read as a share of ``--max-rejects`` is; 0 and 1 are shares too."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share, 0 to 1; a text that is none is a usage error."""
        if isinstance(value, float):
            return value
        try:
            limit = RejectLimit.parse(f"{value}.0" if value in {"0", "1"} else value)
        except ValueError:
            limit = RejectLimit()
        if limit.share is None:
            self.fail(f"{value!r} is not a share like 1% or 0.01.", param, ctx)
        return limit.share


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Load the shop's CSV export into the database, make one up, or check what the database keeps.

    The database is the one that DATABASE_URL names, or the embedded one of the state folder.

    \b
    Exit code 0: done.
    1: the rows or the figures do not add up.
    2: something you can put right, told in one sentence.
    130: interrupted.
    """


@commands.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--report", "report_path", type=click.Path(path_type=Path), help="Also write the report as JSON here.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="Write rejected rows here.  [default: rejects/<folder>.csv in the state folder]",
)
@click.option(
    "--max-rejects",
    "limit",
    type=LimitType(),
    default=NO_LIMIT,
    help="Give up, with nothing changed, beyond so many rejected rows (100) or such a share of a file (0.5%, 0.005).",
)
@click.option("--prune", is_flag=True, help="Remove rows of earlier loads that the files no longer have.")
@click.option(
    "--progress",
    type=click.Choice(FORMS),
    default="auto",
    help="How to tell the progress, on standard error: bars on a terminal, else lines.  [default: auto]",
)
@click.option(
    "--chunk-kib",
    type=click.IntRange(1, 1 << 20),
    default=CHUNK_BYTES >> 10,
    show_default=True,
    help="Commit a first load after so many KiB of rows: what is done again at most after an interruption.",
)
@click.option("--quiet", is_flag=True, help="Print the report only: --progress none.")
@click.option("--json", "as_json", is_flag=True, help="For machines: progress and report as JSON, an object a line.")
def load(
    folder: Path,
    report_path: Path | None,
    rejects: Path | None,
    limit: RejectLimit,
    prune: bool,  # noqa: FBT001 - click gives it by name
    progress: Form,
    chunk_kib: int,
    quiet: bool,  # noqa: FBT001 - the same
    as_json: bool,  # noqa: FBT001 - the same
) -> None:
    """Load the five CSV files of DIR, of either generation, plain or compressed (.csv.gz, .csv.zst).

    Readers see all of it at once, or nothing. Rows that cannot be loaded are listed with their reasons, and do not stop
    the others. Interrupted or killed, the same command carries on. Loading another export writes what changed in the
    files since the last one; what shoppers did through the gateway stays.
    """
    settings = Settings.from_environment(os.environ)
    find_folder(folder)  # before a database is started for nothing
    form: Form = "json" if as_json else "none" if quiet else progress
    with database_of(settings) as url, watching(console(error=True), form=form) as watcher:
        report = load_folder(
            url,
            folder,
            settings,
            rejects=rejects,
            watcher=watcher,
            limit=limit,
            prune=prune,
            chunk_bytes=chunk_kib << 10,
        )
    if as_json:
        click.echo(report.to_json(indent=None))
    else:
        show(report, console())
    if report_path is not None:
        try:
            report_path.write_text(report.to_json() + "\n", encoding="utf-8")
        except OSError as error:
            raise OperatorError(
                f"The folder is loaded, but its report {report_path} cannot be written: {error.strerror}."
            ) from error


@commands.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--products", type=click.IntRange(1), required=True, help="How many products.")
@click.option("--seed", type=int, required=True, help="The same seed gives the same files.")
@click.option("--hot", type=click.IntRange(0), default=0, help="How many more reviews product 1 has.")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="v2",
    show_default=True,
    help="v1: the export's first generation, with ISO days and booleans of two forms, without products.",
)
@click.option(
    "--dirty",
    type=ShareType(),
    default=0.0,
    help="Spoil such a share of the rows (1%, 0.01), in every way a loader must clean up or reject.",
)
def generate(folder: Path, products: int, seed: int, hot: int, dialect: str, dirty: float) -> None:
    """Write the CSV files of a made-up shop to DIR: the same options, the same bytes.

    With --dirty, dirt.csv names the rows that a load must reject, each with its line and reason, and dirt.json counts
    the dirt of each kind.
    """
    generation, rejected = DIALECTS[dialect], 0
    if dirty:
        rows, rejected = generate_dirty_folder(
            folder, products=products, seed=seed, hot=hot, dialect=generation, share=dirty
        )
    else:
        rows = generate_folder(folder, products=products, seed=seed, hot=hot, dialect=generation)
    for name, count in rows.items():
        click.echo(f"{count:>12,}  {name}")
    if dirty:
        click.echo(f"{rejected:>12,}  rows to be rejected, listed in {folder / REJECTED_ROWS}")
        click.echo(f"The dirt is counted in {folder / DIRT}.")


@commands.command()
@click.option(
    "--repair", is_flag=True, help="Build figures and missing indexes again, advance the sequences, then check again."
)
def verify(repair: bool) -> None:  # noqa: FBT001 - click
    """Say in one line whether the database is sound; else what is not as it should be.

    Figures against rows, parents, numbers, sequences, indexes, constraints, triggers. Exit code 1 where it is not.
    """
    settings = Settings.from_environment(os.environ)
    with database_of(settings) as url:
        findings = verify_database(url, settings, repair=repair)
    show_findings(findings)
    if findings.unsound:
        raise SystemExit(UNSOUND)


def main(arguments: list[str] | None = None) -> int:
    """Run the command that ``arguments``, or the process's own, name; the answer is the exit code."""
    try:
        commands.main(arguments, prog_name="python -m etl", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (OperatorError, AccountingError) as error:
        click.echo(f"etl: {error}", err=True)
        return USAGE if isinstance(error, OperatorError) else UNSOUND
    except (KeyboardInterrupt, click.Abort):
        click.echo("etl: interrupted; a load carries on when the same command is run again", err=True)
        return INTERRUPTED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else UNSOUND
    return OK
