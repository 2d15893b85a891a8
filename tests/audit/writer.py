"""A process that records entries in a test's database: NAME COUNT; starts when told to."""

import sys

import django


def main(name: str, count: int) -> None:
    django.setup()
    from django.db import connection

    import clock
    from audit import services

    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    print("ready", flush=True)
    actor = sys.stdin.readline().strip()
    for number in range(count):
        services.record(
            action="raced", actor=actor, subject=f"lap {number}", data={}, now=clock.real_now()
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
