"""What the screen shows: one value, which the query string of the page's address says in full."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, urlencode

from analysis.dashboard.filters import FILTERS
from analysis.dashboard.periods import PRESETS, Comparison, span_of
from analysis.errors import AnalysisError
from analysis.metrics.range import LoginState, Range, moment
from analysis.metrics.zone import default_zone, zone_of
from analysis.rows.selection import Clock

__all__ = ["LANGUAGES", "Language", "View"]

Language: TypeAlias = Literal["en", "vi"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_PRESET = "28d"
LOGIN_STATE = "login"
# What a value of the address may be, by its name; the options of pages are further names.
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "range": tuple(PRESETS),
        "compare": get_args(Comparison),
        "clock": get_args(Clock),
        "bots": ("0", "1"),
        "lang": LANGUAGES,
        LOGIN_STATE: get_args(LoginState),
    }
)
TIMES = ("start", "end")
KNOWN = ("page", *CHOICES, *TIMES, "zone", *FILTERS)
MOST_CHARACTERS = 8000  # of an address; servers and browsers take no more


@dataclass(frozen=True)
class View:
    """The whole state of the screen.

    Attributes:
        page: The page's name.
        preset: The name of a range that ends now, or ended lately; None if `start` and `end` say the range.
        start: The first moment, UTC; None with a preset.
        end: The moment after the last, UTC; None with a preset.
        zone: The IANA name of the time zone whose hours, days and weeks count.
        comparison: What the figures are compared with.
        clock: Whether an event counts when it was received or when it occurred.
        bots: Whether the events of bots count.
        language: The language of the page.
        login_state: Only events of this login state count; None for all.
        filters: The chosen values of each filter, by its name; without filters that choose nothing.
        options: The page's own options, by name.
    """

    page: str = "overview"
    preset: str | None = DEFAULT_PRESET
    start: datetime | None = None
    end: datetime | None = None
    zone: str = field(default_factory=default_zone)
    comparison: Comparison = "previous"
    clock: Clock = "received"
    bots: bool = False
    language: Language = "en"
    login_state: LoginState | None = None
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, query: str, pages: Mapping[str, Mapping[str, tuple[str, ...]]]) -> "View":
        """Read the query string of an address.

        Args:
            query: The query string, without `?`.
            pages: The options of each page, by the page's name, and the values that each option may have. The first one
                is the default. An option without values takes any text.

        Raises:
            AnalysisError: A name is unknown or given twice, or a value is wrong. The message says which, and what to
                write instead.
        """
        if len(query) > MOST_CHARACTERS:
            raise AnalysisError(f"this address is too long: at most {MOST_CHARACTERS:,} characters are read")
        pairs = parse_qsl(query, keep_blank_values=True)
        if any("\0" in name + value for name, value in pairs):
            raise AnalysisError("the address holds the character U+0000, which no event can hold: leave it out")
        given = {name: value for name, value in pairs if name not in FILTERS}
        page = _one_of("page", given.get("page", "overview"), tuple(pages))
        options = pages[page]
        _check_names([name for name, _ in pairs], (*KNOWN, *options))
        for name, choices in {**CHOICES, **options}.items():
            if choices and name in given:
                _one_of(name, given[name], choices)
        zone = zone_of(given["zone"]).key if given.get("zone") else default_zone()
        preset, start, end = _range(given, zone)
        return cls(
            page=page,
            preset=preset,
            start=start,
            end=end,
            zone=zone,
            comparison=given.get("compare", cls.comparison),  # type: ignore[arg-type]  # it was checked above
            clock=given.get("clock", cls.clock),  # type: ignore[arg-type]  # as above
            bots=given.get("bots") == "1",
            language=given.get("lang", cls.language),  # type: ignore[arg-type]  # as above
            login_state=given.get(LOGIN_STATE),  # type: ignore[arg-type]  # as above
            filters=_filters(pairs),
            options=tuple((name, given[name]) for name in options if name in given),
        )

    def query(self) -> str:
        """Write the query string, which `parse` reads back as the same view; defaults are left out."""
        default = View(zone=self.zone)
        pairs = [("page", self.page)]
        if self.preset is None:
            pairs += [(name, _text(getattr(self, name), self.zone)) for name in TIMES]
        else:
            pairs.append(("range", self.preset))
        pairs.append(("zone", self.zone))
        others = {
            "compare": (self.comparison, default.comparison),
            "clock": (self.clock, default.clock),
            "bots": (str(int(self.bots)), str(int(default.bots))),
            "lang": (self.language, default.language),
            LOGIN_STATE: (self.login_state, None),
        }
        pairs += [(name, value) for name, (value, usual) in others.items() if value is not None and value != usual]
        pairs += [(name, value) for name, values in self.filters for value in values]
        return urlencode([*pairs, *self.options])

    def option(self, name: str, default: str) -> str:
        """Give an option of the page."""
        return dict(self.options).get(name, default)

    def within(self, now: datetime) -> Range:
        """Give the range that is shown at an instant."""
        if self.start is None or self.end is None:
            start, end = span_of(self.preset or DEFAULT_PRESET, now, self.zone)
        else:
            start, end = self.start, self.end
        return Range(start, end, self.login_state, self.zone)

    def fixed(self, now: datetime) -> "View":
        """Give the same view with the range that its preset means at an instant, so that it shows the same later."""
        within = self.within(now)
        return replace(self, preset=None, start=within.start, end=within.end)


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise AnalysisError(f"{name} is {value!r}: choose from {', '.join(choices)}")
    return value


def _check_names(names: Iterable[str], known: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in names:
        if name not in known:
            raise AnalysisError(f"the address has an unknown name, {name!r}; known: {', '.join(known)}")
        if name in seen and name not in FILTERS:
            raise AnalysisError(f"the address gives {name} more than once: give it once")
        seen.add(name)


def _range(given: Mapping[str, str], zone: str) -> tuple[str | None, datetime | None, datetime | None]:
    times = [given.get(name) for name in TIMES]
    if times == [None, None]:
        return given.get("range", DEFAULT_PRESET), None, None
    if "range" in given:
        raise AnalysisError("the address has a range and also start or end: give one of both")
    if None in times:
        raise AnalysisError("the address needs both start and end, or neither of them")
    # A `+` that was not encoded arrives as a space.
    start, end = (moment(text.strip().replace(" ", "+") if "T" in text else text, zone) for text in times if text)
    if end <= start:
        raise AnalysisError("the range ends before it begins: end is the moment after the last one")
    return None, start, end


def _filters(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    chosen: dict[str, dict[str, None]] = {}
    for name, value in pairs:
        if name in FILTERS:
            if not value:
                raise AnalysisError(f"the filter {name} has no value: name one, or leave the filter out")
            FILTERS[name].check(value)
            chosen.setdefault(name, {})[value] = None
    return tuple((name, tuple(sorted(chosen[name]))) for name in FILTERS if name in chosen)


def _text(instant: datetime, zone: str) -> str:
    """Write an instant as the zone's clocks show it, if that is read back as the same; else in UTC."""
    local = instant.astimezone(zone_of(zone)).replace(tzinfo=None)
    text = local.date().isoformat() if local.time() == time() else local.isoformat()
    with suppress(AnalysisError):
        if moment(text, zone) == instant:
            return text
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
