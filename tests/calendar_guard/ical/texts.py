"""What a feed's text means, to readers who look at 2026 and the month after it."""

from datetime import UTC, datetime

from calendar_guard.ical import Occasion, read
from calendar_guard.words import Window

BERLIN, LONDON = "Europe/Berlin", "Europe/London"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 2, 5, tzinfo=UTC))


def calendar(*components: str) -> bytes:
    frame = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests", *components, "END:VCALENDAR", ""]
    return "\r\n".join("\r\n".join(frame).split("\n")).replace("\r\r", "\r").encode()


def event(*lines: str, uid: str = "ada-grace") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:A", *lines, "END:VEVENT"])


def occasions(*components: str, zone: str = LONDON, window: Window = WINDOW) -> list[Occasion]:
    return read(calendar(*components), zone=zone, window=window)


def naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


def only(*components: str, zone: str = LONDON) -> Occasion:
    (found,) = occasions(*components, zone=zone)
    return found


def starts(*components: str, zone: str = LONDON) -> list[str]:
    return [f"{one.starts_local:%m-%d %H:%M}" for one in occasions(*components, zone=zone)]


def span(one: Occasion) -> tuple[str, str]:
    return f"{one.starts_local:%Y-%m-%d %H:%M}", f"{one.ends_local:%Y-%m-%d %H:%M}"


def instants(one: Occasion) -> tuple[str, str]:
    return f"{one.starts_at:%Y-%m-%d %H:%M}", f"{one.ends_at:%Y-%m-%d %H:%M}"


IN_BERLIN = "DTSTART;TZID=Europe/Berlin:20260613T140000", "DTEND;TZID=Europe/Berlin:20260614T020000"
