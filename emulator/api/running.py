"""A running stack, as the API sees and steers it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from command_line.home import Stack
from emulator.api.shoppers import ShopperRun
from emulator.stack.faults import FaultSwitches
from emulator.stack.reset import Reset
from emulator.traces.traces import Traces

__all__ = ["Running"]


@dataclass(frozen=True)
class Running:
    """The parts of a stack that the API needs; `started_at` is aware, `stopping` ends what waits."""

    stack: Stack
    bucket: Path
    traces: Traces
    faults: FaultSwitches
    shoppers: ShopperRun
    reset: Reset
    health: Callable[[], dict[str, Any]]
    started_at: datetime
    stopping: Event = field(default_factory=Event)
