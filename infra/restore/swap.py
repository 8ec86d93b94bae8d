"""Exchanges the names of the live warehouse and of the one beside it. Whoever connects by name then finds the other."""

from collections.abc import Mapping
from typing import NamedTuple

from infra.restore.rds import Kind, Rds, RestoreError, is_restored

__all__ = ["Names", "renames", "swap"]


class Names(NamedTuple):
    """Names of clusters. The instance of each has the same name with `-1` at its end."""

    live: str  # which the stage uses
    spare: str  # beside it: the restored one at first, the former live one after a swap
    parked: str  # where the former live one is, while the restored one takes its name

    @classmethod
    def of(cls, stage: str) -> "Names":
        """Return the names of a stage."""
        return cls(f"clickstream-{stage}", f"clickstream-{stage}-restore", f"clickstream-{stage}-parked")

    def instances(self) -> "Names":
        """Return the names of their instances."""
        return Names(*(f"{name}-1" for name in self))


def renames(there: Mapping[str, bool], names: Names, *, is_restored_wanted: bool) -> list[tuple[str, str]]:
    """Compute what has to be renamed until the wanted one is live and the other one the spare.

    Args:
        there: Whether it is the restored one, for each name that exists; also half-way through an earlier swap.
        names: The three names.
        is_restored_wanted: Whether the restored one has to be live; otherwise the original.

    Returns:
        Pairs of an old and a new name, in order. Nothing if all is as wanted.

    Raises:
        RestoreError: There are not exactly two, one of them restored.
    """
    if sorted(there.values()) != [False, True]:
        found = ", ".join(there) or "none"
        raise RestoreError(f"a swap needs the original and a restored one, but there are: {found}")
    place = {is_new: name for name, is_new in there.items()}
    wanted, other = place[is_restored_wanted], place[not is_restored_wanted]
    moves = []
    if wanted != names.live:
        if other == names.live:
            other = names.parked if names.spare in there else names.spare
            moves.append((names.live, other))
        moves.append((wanted, names.live))
    if other != names.spare:
        moves.append((other, names.spare))
    return moves


def swap(rds: Rds, names: Names, *, is_restored_wanted: bool) -> bool:
    """Make the restored warehouse live, or the original again. Goes on where an earlier swap has ended.

    Returns:
        Whether anything had to be renamed.
    """
    clusters = _renames(rds, "cluster", names, is_restored_wanted=is_restored_wanted)
    instances = _renames(rds, "instance", names.instances(), is_restored_wanted=is_restored_wanted)
    # All clusters first: the stage works again as soon as the wanted cluster has its name.
    for old, new in clusters:
        rds.change("modify_db_cluster", DBClusterIdentifier=old, NewDBClusterIdentifier=new, ApplyImmediately=True)
        rds.wait_for("cluster", new)
    for old, new in instances:
        rds.change("modify_db_instance", DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True)
        rds.wait_for("instance", new)
    return bool(clusters or instances)


def _renames(rds: Rds, kind: Kind, names: Names, *, is_restored_wanted: bool) -> list[tuple[str, str]]:
    there = {name: is_restored(thing) for name, thing in rds.things(kind, *names).items()}
    return renames(there, names, is_restored_wanted=is_restored_wanted)
