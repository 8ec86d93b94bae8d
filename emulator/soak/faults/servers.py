"""Faults of the servers: killed, frozen, or switched to misbehave."""

import time

from emulator.soak.subject import Subject

__all__ = ["freeze", "kill", "kill_everything", "kill_projector", "switch"]


def kill(part: str, subject: Subject, _seconds: float) -> None:
    """Kill the first process of a part."""
    subject.kill(subject.part(part)[:1])


def kill_projector(subject: Subject, _seconds: float) -> None:
    """Kill the supervisor, in which the projector runs; the other parts go on until the stack is started again."""
    subject.kill([subject.supervisor()])


def kill_everything(subject: Subject, _seconds: float) -> None:
    """Kill every process of the stack."""
    subject.kill(subject.processes())


def freeze(part: str, subject: Subject, seconds: float) -> None:
    """Suspend all processes of a part, and resume them after some seconds."""
    with subject.frozen(subject.part(part)):
        time.sleep(seconds)


def switch(name: str, subject: Subject, seconds: float) -> None:
    """Switch a fault of the stack's API on for some seconds."""
    with subject.switched(name):
        time.sleep(seconds)
