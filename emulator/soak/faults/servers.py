"""Faults of the servers: killed, terminated, frozen, or switched to misbehave."""

import time
from signal import SIGSTOP, SIGTERM

from command_line.errors import CommandError
from emulator.soak.subject import STOP_SECONDS, Subject

__all__ = [
    "freeze",
    "kill",
    "kill_everything",
    "kill_projector",
    "slow",
    "slow_supervisor",
    "switch",
    "terminate",
    "terminate_supervisor",
]


def kill(part: str, subject: Subject, _seconds: float) -> None:
    """Kill the first process of a part."""
    subject.kill(subject.part(part)[:1])


def kill_projector(subject: Subject, _seconds: float) -> None:
    """Kill the supervisor, in which the projector runs; the other parts go on until the stack is started again."""
    subject.kill([subject.supervisor()])


def kill_everything(subject: Subject, _seconds: float) -> None:
    """Kill every process of the stack."""
    subject.kill(subject.processes())


def terminate(part: str, subject: Subject, _seconds: float, *, most: int | None = None) -> None:
    """Send SIGTERM to the processes of a part, the parent of the others first; to at most `most` of them.

    PostgreSQL's parent then waits for the sessions that it has, and takes no new ones, until the stack restarts it.
    """
    subject.signal(SIGTERM, subject.part(part)[:most])


def terminate_supervisor(subject: Subject, _seconds: float) -> None:
    """Send SIGTERM to the supervisor, and wait until it has stopped every part in order. Raises CommandError."""
    processes = subject.processes()
    subject.signal(SIGTERM, processes[:1])
    if not subject.have_ended(processes):
        raise CommandError(f"SIGTERM does not end the stack within {STOP_SECONDS} s")


def freeze(part: str, subject: Subject, _seconds: float, *, most: int | None = None) -> None:
    """Suspend the processes of a part for good, or at most `most` of them, until the stack restarts it."""
    subject.signal(SIGSTOP, subject.part(part)[:most])


def slow(part: str, subject: Subject, seconds: float) -> None:
    """Suspend all processes of a part, and resume them after some seconds."""
    with subject.frozen(subject.part(part)):
        time.sleep(seconds)


def slow_supervisor(subject: Subject, seconds: float) -> None:
    """Suspend the supervisor for some seconds, and with it projector, watcher and API; the servers go on."""
    with subject.frozen([subject.supervisor()]):
        time.sleep(seconds)


def switch(name: str, subject: Subject, seconds: float) -> None:
    """Switch a fault of the stack's API on for some seconds."""
    with subject.switched(name):
        time.sleep(seconds)
