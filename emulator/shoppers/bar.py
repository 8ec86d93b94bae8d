"""The progress of the shoppers on a console."""

from concurrent.futures import Future, wait

from rich.console import Console

from command_line.progress import new_progress
from emulator.shoppers.report import ShoppersReport
from emulator.shoppers.run import Progress, Shoppers

__all__ = ["watch"]

REFRESH = 0.25  # seconds


def watch(shoppers: Shoppers, run: "Future[ShoppersReport]", console: Console) -> None:
    """Show how far the run is until it is over."""
    with new_progress(console) as bar:
        task = bar.add_task("", total=shoppers.sessions)
        while True:
            is_over = bool(wait([run], REFRESH).done)
            progress = shoppers.progress
            bar.update(task, completed=progress.finished, description=_description(progress))
            if is_over:
                return


def _description(progress: Progress) -> str:
    return (
        f"{progress.begun - progress.finished} on the site, {progress.accepted:,} accepted, {progress.waiting:,} wait"
    )
