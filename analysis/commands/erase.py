"""`python -m analysis erase`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

from analysis.commands.options import lake_option, source_option, stage_option, warehouse_option
from analysis.raw.partitions import shown
from command_line.json_text import json_text
from command_line.printable import printable

if TYPE_CHECKING:
    from analysis.repair.erase.run import Found
    from analysis.repair.erase.vacuum import Vacuumed

__all__ = ["erase_command"]

MOST_SHOWN = 10


class _Id(click.ParamType[str]):
    """A client's or user's id, as it stands in events."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8", param, ctx)
        if not value or "\0" in value:
            self.fail("it is empty or holds a NUL, so no event can have it", param, ctx)
        return value


@click.command("erase")
@click.option("--client-id", "client_ids", type=_Id(), multiple=True, metavar="ID", help="A browser; may be repeated.")
@click.option("--user-id", "user_ids", type=_Id(), multiple=True, metavar="ID", help="A user; may be repeated.")
@click.option(
    "--mentions", is_flag=True, help="Also erase what only mentions an id. Do not use it with a short id, such as 7."
)
@click.option("--again", is_flag=True, help="Erase later objects of everybody who was erased before.")
@click.option(
    "--vacuum",
    "with_vacuum",
    is_flag=True,
    help="Afterwards, also remove the bytes of deleted rows from the warehouse.",
)
@stage_option
@source_option
@warehouse_option
@lake_option
@click.option("--dry-run", is_flag=True, help="Only look; exit code 1 if something is found.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object only; with --dry-run or --yes.")
def erase_command(
    client_ids: tuple[str, ...],
    user_ids: tuple[str, ...],
    source: str | None,
    dw: str | None,
    lake: str | Literal[False] | None,  # False: the stage has none
    *,
    mentions: bool,
    again: bool,
    with_vacuum: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase a person from raw, rejects, warehouse and lake.

    It looks at every object (earlier versions included) and row, shows what it finds, and asks before it erases. A
    tombstone stays in raw and in the warehouse: a keyed hash that names nobody. From then on the warehouse refuses rows
    of this person. Events that the person's browser still sends are stored in raw, so run --again later. At the end it
    looks at everything once more. Exit code 1 if something is left, mentions of an id included.

    Name all ids of the person: events before a login hold only the client's id. The page of a running local stack
    forgets the person within seconds.

    With --stage, a function in the stage's VPC deletes the rows and rejects, and this command the objects and the
    lake's files. --vacuum needs a connection: run 'erase --again --vacuum' from within the VPC.

    Deleted means that no query finds it. Some bytes stay for a while:

    \b
    - the files of the warehouse's tables: until --vacuum. It writes the tables
      anew, and nobody can use them meanwhile
    - the warehouse's log of changes (WAL): until PostgreSQL deletes or reuses its
      files. In the local stack, --vacuum deletes them; elsewhere they go with
      later checkpoints
    - the lake: nothing. Rows, older snapshots, their statistics and left-over files
      are deleted at once, so a query over an older snapshot fails. With Glue, files
      of the last three hours that no snapshot names are counted, and stay: run the
      command again later
    - backups and snapshots, WAL archives and replicas, your own copies: as long as
      you keep them. The command does not reach them
    - logs: ingest.log, projector.log and those of the Lambdas in CloudWatch hold no
      ids. The access log of API Gateway holds IP addresses until LogRetentionDays.
      postgres.log holds messages without rows and statements. A postgres.log from
      before this version may hold rows: delete it. So may the log of another
      PostgreSQL: set log_error_verbosity=terse and log_min_error_statement=panic

    \b
    Examples:
      python -m analysis erase --client-id 6b0e… --dry-run
      python -m analysis erase --user-id 4711 --client-id 6b0e… --client-id 91fa… --vacuum
      python -m analysis erase --user-id 4711 --source s3://my-bucket --lake glue
      python -m analysis erase --user-id 4711 --client-id 6b0e… --stage prod
      python -m analysis erase --again --yes
    """
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.lake.tables import lake_of
    from analysis.place import needed_warehouse_of, source_of
    from analysis.repair.erase.person import Person
    from analysis.repair.erase.run import Place, erase, erase_again, search, search_again
    from analysis.repair.erase.vacuum import refuse_stage, vacuum

    if again == bool(client_ids or user_ids) or (again and mentions):
        raise click.UsageError("name --client-id or --user-id, or else --again, which takes no id and no --mentions")
    if with_vacuum and dry_run:
        raise click.UsageError("--dry-run changes nothing: leave --vacuum out")
    if as_json and not (dry_run or yes):
        raise click.UsageError("--json cannot ask: add --dry-run or --yes")
    bucket = source_of(source)
    if with_vacuum:
        refuse_stage(dw)
    place = Place(bucket, needed_warehouse_of(dw, bucket), None if lake is False else lake_of(lake, bucket))
    person = Person(client_ids, user_ids)
    found = search_again(place) if again else search(place, person)
    if not as_json:
        _show(found, "there is", person.others)
    if dry_run or (found.is_nothing and again):
        left = found
    else:
        if not yes:
            click.confirm("Erase it for good?", abort=True)
        left = erase_again(place, found) if again else erase(place, person, found, mentions=mentions)
        if not as_json:
            _show(left, "left", {})
    vacuumed = vacuum(place.dw_url) if with_vacuum else None
    if as_json:
        done = None if vacuumed is None else asdict(vacuumed)
        click.echo(json_text({"found": _as_json(found), "left": _as_json(left), "vacuumed": done}))
    elif vacuumed is not None:
        click.echo(_said(vacuumed))
    is_done = left.is_nothing and not (vacuumed and vacuumed.still_visible)
    raise SystemExit(0 if is_done else 1)


def _said(vacuumed: "Vacuumed") -> str:
    if vacuumed.still_visible:
        return (
            f"vacuumed, but {vacuumed.still_visible:,} deleted rows stay in the files, since an open transaction may "
            "see them: end it, and run 'python -m analysis erase --again --vacuum'"
        )
    if not vacuumed.with_wal:
        return "vacuumed the tables; statistics and WAL need a superuser"
    return "vacuumed the tables and the statistics, and made a checkpoint"


def _as_json(found: "Found") -> dict[str, object]:
    return {
        "objects_looked_at": found.looked_at,
        "objects": len(found.own),
        "objects_that_mention": [shown(each.key) for each in found.mentions],
        "rows": found.rows,
        "rows_that_mention": found.row_mentions,
        "rejects": found.rejects,
        "lake": None if found.lake is None else found.lake._asdict(),
    }


def _show(found: "Found", title: str, others: dict[str, set[str]]) -> None:
    from rich.console import Console

    from command_line.console import text_table

    counts = {
        "objects": len(found.own),
        "rows": found.rows,
        "rejects": found.rejects,
        **(
            {} if found.lake is None else {"rows in the lake": found.lake.rows, "orders in the lake": found.lake.orders}
        ),
        "objects that only mention an id": len(found.mentions),
        "rows that only mention an id": found.row_mentions,
        **({} if found.lake is None else {"rows in the lake that only mention an id": found.lake.mentions}),
        "objects looked at": found.looked_at,
    }
    Console().print(text_table([title, ""], ((name, f"{count:,}") for name, count in counts.items())))
    for each in found.mentions[:MOST_SHOWN]:
        click.echo(f"mentions it: {printable(shown(each.key))}")
    if found.lake is not None and found.lake.unfinished:
        click.echo(
            f"{found.lake.unfinished:,} files of the lake are of a compaction that runs, or was stopped within the "
            "last three hours, and may hold the person: run the command again after that time."
        )
    for column, names in others.items():
        if names:
            known = ", ".join(sorted(names)[:MOST_SHOWN])
            click.echo(f"Their events know them as {column} {known!r} too; name it if it is the same person.")
