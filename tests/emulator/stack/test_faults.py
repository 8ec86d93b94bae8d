from typing import cast

import pytest

from command_line.errors import CommandError
from emulator.stack.faults import Faults, FaultSwitches
from emulator.stack.supervisor import Supervisor
from emulator.triggers.queue import TriggerFaults
from emulator.triggers.watch import Triggers


class Parts:
    """A supervisor that only notes what it is told."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.told: list[str] = []

    def take_down(self, name: str) -> None:
        self.down.add(name)
        self.told.append(f"{name} down")

    def bring_up(self, name: str) -> None:
        self.down.discard(name)
        self.told.append(f"{name} up")


class Queue:
    """Triggers that only note how they are to misbehave."""

    def __init__(self) -> None:
        self.faults = TriggerFaults()

    def misbehave(self, faults: TriggerFaults) -> None:
        self.faults = faults


class TestFaultSwitches:
    @pytest.fixture(autouse=True)
    def stack(self) -> None:
        """Give every test a stack in which all is well."""
        self.parts, self.queue = Parts(), Queue()
        self.switches = self.of(is_own_dw=True)

    def of(self, *, is_own_dw: bool) -> FaultSwitches:
        return FaultSwitches(cast("Supervisor", self.parts), cast("Triggers", self.queue), is_own_dw=is_own_dw)

    def test_triggers(self) -> None:
        """Each switch is one of the queue's faults; they add up."""
        self.switches.switch(triggers_twice=True, triggers_late=True)
        self.switches.switch(triggers_out_of_order=True, triggers_late=False)
        assert self.queue.faults == TriggerFaults(twice=True, out_of_order=True)
        self.switches.switch(triggers_off=True)
        assert self.queue.faults.off

    def test_parts(self) -> None:
        """Each is stopped once, and started once, however often it is asked for."""
        for is_down in (True, True, False, False):
            self.switches.switch(storage_down=is_down)
            self.switches.switch(warehouse_down=is_down)
        assert self.parts.told == ["s3 down", "warehouse down", "s3 up", "warehouse up"]

    def test_all_off(self) -> None:
        """Whatever was on."""
        self.switches.switch(storage_down=True, triggers_off=True)
        assert self.switches.all_off() == self.switches.current == Faults()
        assert (self.parts.down, self.queue.faults) == (set(), TriggerFaults())

    def test_a_warehouse_that_is_not_ours_is_left_alone(self) -> None:
        """Which is said, and nothing else is switched by the same call."""
        switches = self.of(is_own_dw=False)
        with pytest.raises(CommandError, match="cannot be switched off from here"):
            switches.switch(warehouse_down=True, storage_down=True)
        assert (switches.current, self.parts.told) == (Faults(), [])

    def test_a_part_that_does_not_start_stays_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It can be tried again."""
        self.switches.switch(storage_down=True)

        def refuse(_name: str) -> None:
            raise CommandError("port 9000 is taken")

        with monkeypatch.context() as patched:
            patched.setattr(self.parts, "bring_up", refuse)
            with pytest.raises(CommandError, match="taken"):
                self.switches.switch(storage_down=False)
        assert self.switches.current.storage_down
        assert not self.switches.switch(storage_down=False).storage_down
