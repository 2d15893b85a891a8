"""Which role may do what, as permission names. Pure; `access.services.sync_roles` writes them."""

READ = (
    "calendar_guard.view_verdict",
    "runs.view_run",
    "runs.view_plan",
    "runs.view_schedule",
    "runs.view_target",
    "streaming.read_stream",
)
_START = (
    *("runs.add_run", "runs.stop_run", "runs.add_plan", "runs.change_plan"),
    *("runs.delete_plan", "runs.add_schedule", "runs.delete_schedule"),
)
_EDIT = ("view", "add", "change", "delete")
_ALLOW = tuple(f"runs.{verb}_target" for verb in ("view", "add", "change", "delete"))
_KEEP_THE_CALENDAR = (
    *(
        f"calendar_guard.{verb}_{kept}"
        for kept in ("wedding", "coordinator", "feed")
        for verb in _EDIT
    ),
    *(f"calendar_guard.{verb}_hold" for verb in ("view", "add", "change")),
    "calendar_guard.view_attestation",
    "calendar_guard.attest_calendar",
    "calendar_guard.view_permit",
    "runs.stop_run",
)

ROLES: dict[str, tuple[str, ...]] = {
    "viewer": READ,
    "engineer": (*READ, *_START, "calendar_guard.view_hold"),
    "coordinator": (*READ, *_KEEP_THE_CALENDAR),
    "ops": (
        *dict.fromkeys((*READ, *_START, *_ALLOW, *_KEEP_THE_CALENDAR)),
        "access.view_token",
        "access.delete_token",
        "audit.view_entry",
    ),
}
