from django.db import models


class Stream(models.Model):
    """No table: it only gives the permission `streaming.read_stream` a place to hang."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("read_stream", "Can read live streams")]
