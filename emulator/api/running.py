"""The parts of a running stack that the API reads and changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from command_line.home import Stack
from emulator.api.shoppers import ShopperRun
from emulator.stack.beginning import Beginning
from emulator.stack.faults import FaultSwitches
from emulator.stack.reset import Reset
from emulator.traces.traces import Traces

__all__ = ["Running"]


@dataclass(frozen=True)
class Running:
    """The parts of a stack that the API needs.

    Attributes:
        bucket: Directory of the raw bucket.
        health: Returns the state of every part as JSON.
        beginning: The start of the stack.
        stopping: Ends waiting requests and streams when it is set.
    """

    stack: Stack
    bucket: Path
    traces: Traces
    faults: FaultSwitches
    shoppers: ShopperRun
    reset: Reset
    health: Callable[[], dict[str, Any]]
    beginning: Beginning
    stopping: Event = field(default_factory=Event)
