"""How fast the guard answers with a million weddings, on SQLite and on PostgreSQL.

For each database: the median time of a safe verdict with 10,000 weddings (9,900 past) and with
1,000,000 (990,000 past), of a refusal in a season without a gap for 30 days, of a renewal, and the
time and memory that a feed of 20,000 events takes. A past wedding stands there a hundred times:
what an index must step over counts, not whose it is. Loopback only; ends by itself, and with
code 1 where a figure is over its limit.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

NOW = datetime.fromisoformat("2026-06-09T10:00:00+00:00")  # a Tuesday in season
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("Europe/London", "Europe/Berlin", "Europe/Madrid", "America/New_York", "Asia/Kolkata")
COPIES, REPEATS = 100, 41
# The times are what is promised, three times what they take and more: a busy machine stays below
# them. `growth` is within one run, of the fastest answers, which other work on the machine slows
# least. A feed of this size that is parsed as a whole takes 90 MB.
LIMITS = {
    "growth": 2,
    "safe_ms_1m": 10,
    "refusal_ms_crowded": 100,
    "feed_20k_s": 30,
    "feed_20k_more_mb": 60,
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(figures_of(sys.argv[1])))
        return
    figures = {name: in_a_process_of_its_own(name) for name in ("sqlite", "postgresql")}
    print(json.dumps(figures))
    if over := broken(figures):
        sys.exit("\n".join(over))


def broken(figures: dict[str, dict[str, float]]) -> list[str]:
    """A sentence for each figure over its limit."""
    return [
        f"{database}: {name} is {found[name]:g}, over its limit of {most}."
        for database, found in figures.items()
        for name, most in LIMITS.items()
        if found[name] > most
    ]


def in_a_process_of_its_own(database: str) -> dict[str, Any]:
    """The settings read the database once, and memory is measured by the process."""
    env = os.environ | {"WEDSYNC_TEST_DATABASE": database if database == "postgresql" else ""}
    env["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    done = subprocess.run(
        [sys.executable, __file__, database], env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def figures_of(database: str) -> dict[str, Any]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory(prefix="wedsync-bench-") as folder:
        imported = import_feed(Path(folder), database)
    fill(past=9_900, ahead=100)
    small = safe_verdict_times()
    multiply_the_past()
    fill(past=0, ahead=9_900)
    tidy()
    large, renewal = safe_verdict_times(), renewal_ms()
    fill_every_hour(days=30)
    tidy()
    figures = {
        "safe_ms_10k": median(small),
        "safe_ms_1m": median(large),
        "growth": round(min(large) / min(small), 2),
        "renewal_ms_1m": renewal,
        "refusal_ms_crowded": refusal_ms(),
        **imported,
    }
    say(f"{database}: {figures}")
    return figures


def fill(*, past: int, ahead: int) -> None:
    """Friday to Sunday, over the ten years before and the year ahead."""
    from calendar_guard.models import Wedding

    weekend = NOW + 3 * DAY
    rows = [
        wedding(n, weekend - (n * 520 // past + 1) * 7 * DAY + n % 3 * DAY) for n in range(past)
    ]
    rows += [wedding(n, weekend + n * 52 // ahead * 7 * DAY + n % 3 * DAY) for n in range(ahead)]
    Wedding.objects.bulk_create(rows, batch_size=1000)


def fill_every_hour(*, days: int) -> None:
    from calendar_guard.models import Wedding

    rows = [wedding(n, NOW + n * HOUR) for n in range(days * 24)]
    Wedding.objects.bulk_create(rows, batch_size=1000)


def wedding(number: int, starts: datetime) -> Any:
    from calendar_guard.models import Wedding

    made = Wedding(
        title=f"Wedding {number}",
        zone=ZONES[number % len(ZONES)],
        starts_at=starts,
        ends_at=starts + 8 * HOUR,
    )
    made.settle()
    return made


def multiply_the_past() -> None:
    from django.db import connection

    from calendar_guard.models import Wedding

    names = [f.column for f in Wedding._meta.concrete_fields if not f.primary_key]
    columns = ", ".join(names)
    numbers = ", ".join(f"({n})" for n in range(COPIES - 1))
    past = connection.ops.adapt_datetimefield_value(NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH copy(n) AS (VALUES {numbers}) INSERT INTO calendar_guard_wedding ({columns})"
            f" SELECT {columns} FROM calendar_guard_wedding, copy WHERE guarded_until < %s",
            [past],
        )
    say(f"{Wedding.objects.count():,} weddings")


def tidy() -> None:
    """What a database does by itself in a quiet minute."""
    from django.db import connection

    with connection.cursor() as cursor:
        postgres = connection.vendor == "postgresql"
        cursor.execute("VACUUM ANALYZE calendar_guard_wedding" if postgres else "ANALYZE")


def safe_verdict_times() -> list[float]:
    from calendar_guard import services

    verdict = services.check(start=NOW, duration=2 * HOUR, now=NOW)
    assert verdict.safe, verdict
    assert verdict.next_safe_window
    return times_ms(lambda: services.check(start=NOW, duration=2 * HOUR, now=NOW))


def refusal_ms() -> float:
    from calendar_guard import services

    verdict = services.check(start=NOW, duration=2 * HOUR, now=NOW)
    assert not verdict.safe
    assert verdict.next_safe_window
    assert verdict.next_safe_window.start > NOW + 30 * DAY, verdict.next_safe_window
    return median(times_ms(lambda: services.check(start=NOW, duration=2 * HOUR, now=NOW)))


def renewal_ms() -> float:
    from calendar_guard import services

    permit = services.grant(
        start=NOW, duration=HOUR, target="http://127.0.0.1:1", label="bench", link="",
        run_id="1", by="bench", now=NOW,
    )  # fmt: skip
    found = median(times_ms(lambda: services.renew(permit_id=permit.id, doing="412/s", now=NOW)))
    services.give_back(permit_id=permit.id, now=NOW)
    return found


def times_ms(work: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(REPEATS):
        began = perf_counter()
        work()
        times.append((perf_counter() - began) * 1000)
    return times


def median(times: list[float]) -> float:
    return round(statistics.median(times), 2)


def import_feed(folder: Path, database: str) -> dict[str, float]:
    from django.conf import settings

    from calendar_guard import feeds
    from calendar_guard.models import Feed, Wedding

    settings.WEDSYNC_FEED_FOLDERS = [str(folder)]
    path = folder / "venue.ics"
    path.write_text("\r\n".join(calendar_lines(20_000)))
    feed = Feed.objects.create(
        name="venue", url=f"file://{path}", created_at=NOW, due_at=NOW, zone="Europe/London"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = perf_counter()
    feeds.sync(feed_id=feed.pk, now=NOW)
    took = perf_counter() - began
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert Wedding.objects.count() == 20_000, Feed.objects.get().problem
    Wedding.objects.all().delete()
    feed.delete()
    return {"feed_20k_s": round(took, 2), "feed_20k_more_mb": round(more / 1024)}


def calendar_lines(events: int) -> list[str]:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN"]
    for n in range(events):
        day = (NOW + n % 350 * DAY).strftime("%Y%m%d")
        lines += [
            "BEGIN:VEVENT",
            f"UID:{n}@bench.example",
            "DTSTAMP:20260101T000000Z",
            f"SUMMARY:Wedding of couple {n}",
            "LOCATION:The Old Barn\\, Somewhere",
            f"DTSTART;TZID=Europe/London:{day}T{8 + n % 8:02}0000",
            f"DTEND;TZID=Europe/London:{day}T{18 + n % 5:02}0000",
            "END:VEVENT",
        ]
    return [*lines, "END:VCALENDAR", ""]


if __name__ == "__main__":
    main()
