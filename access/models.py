from django.conf import settings
from django.db import models


class Token(models.Model):
    """Only the hash of a token is kept; the token itself was shown once, to who asked for it."""

    hashed = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    scopes = models.JSONField(
        default=list,
        blank=True,
        help_text="Permissions it is limited to; empty means all that its user has.",
    )
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token {self.pk} of {self.user}"
