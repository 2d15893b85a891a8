"""Weddings that may have been entered twice: a warning, since two couples may share a day."""

from django.db.models import Q

from calendar_guard.models import LONGEST_PROTECTION, LONGEST_WEDDING, Wedding

MOST = 5


def find(wedding: Wedding) -> list[Wedding]:
    """At the same venue at the same time, or of the same title on the same local day."""
    same_day = Q(title__iexact=wedding.title, wall_start__startswith=wedding.wall_start[:10])
    same_place = Q(
        venue__iexact=wedding.venue,
        starts_at__lt=wedding.ends_at,
        ends_at__gt=wedding.starts_at,
    )
    near = Wedding.objects.filter(  # what an index can narrow down
        guarded_from__gt=wedding.starts_at - LONGEST_WEDDING - LONGEST_PROTECTION,
        guarded_from__lt=wedding.ends_at + LONGEST_WEDDING,
    )
    found = near.filter(same_day | same_place if wedding.venue else same_day)
    return list(found.exclude(pk=wedding.pk)[:MOST])
