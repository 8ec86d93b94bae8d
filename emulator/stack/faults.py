"""Fault switches: switch faults that may occur on AWS on and off while the stack runs."""

from dataclasses import asdict, dataclass, replace
from threading import Lock

from command_line.errors import CommandError
from emulator.stack.supervisor import Supervisor
from emulator.triggers.queue import TriggerFaults
from emulator.triggers.watch import Triggers

__all__ = ["FaultSwitches", "Faults"]


@dataclass(frozen=True)
class Faults:
    """The faults that are on. `TriggerFaults` explains those of the triggers; a part that is down stays down."""

    triggers_twice: bool = False
    triggers_late: bool = False
    triggers_out_of_order: bool = False
    triggers_off: bool = False
    storage_down: bool = False
    warehouse_down: bool = False


class FaultSwitches:
    """The switches of one stack; threads may share them."""

    def __init__(self, supervisor: Supervisor, triggers: Triggers, *, is_own_dw: bool) -> None:
        self._supervisor = supervisor
        self._triggers = triggers
        self._is_own_dw = is_own_dw
        self._lock = Lock()
        self._faults = Faults()

    @property
    def current(self) -> Faults:
        """The faults that are on now."""
        return self._faults

    def switch(self, **wanted: bool) -> Faults:
        """Switch the named faults on or off, and return the state of all faults.

        Raises:
            CommandError: The warehouse does not belong to the stack, or a part does not stop or start.
        """
        with self._lock:
            faults = replace(self._faults, **wanted)
            if faults.warehouse_down and not self._is_own_dw:
                raise CommandError("a warehouse given by --dw cannot be switched off from here")
            # Each fault is noted once it is on, since the next may fail.
            self._set_down("s3", is_down=faults.storage_down)
            self._faults = replace(self._faults, storage_down=faults.storage_down)
            self._set_down("warehouse", is_down=faults.warehouse_down)
            self._triggers.misbehave(
                TriggerFaults(
                    twice=faults.triggers_twice,
                    late=faults.triggers_late,
                    out_of_order=faults.triggers_out_of_order,
                    off=faults.triggers_off,
                )
            )
            self._faults = faults
            return faults

    def all_off(self) -> Faults:
        """Switch all faults off. Raises CommandError as `switch` does."""
        return self.switch(**dict.fromkeys(asdict(Faults()), False))

    def _set_down(self, part: str, *, is_down: bool) -> None:
        if is_down and part not in self._supervisor.down:
            self._supervisor.take_down(part)
        elif not is_down and part in self._supervisor.down:
            self._supervisor.bring_up(part)
