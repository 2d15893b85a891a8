"""/api/load-testing/schedules: plans that the clock starts; and /targets, to be read."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

import clock
from runs import services
from runs.api import words
from runs.api.view import RoomView, person, told


class SchedulesView(RoomView):
    needs = {"GET": "runs.view_schedule", "POST": "runs.add_schedule"}

    def get(self, request: Request) -> Response:
        found = services.list_schedules()
        return Response({"schedules": [schedule.as_json() for schedule in found]})

    def post(self, request: Request) -> Response:
        """Without `starts_at` the plan starts in the next safe window."""
        found = words.read(words.ScheduleWords, request)
        plan_id = found.pop("plan")
        words.plan_named(plan_id)
        with told():
            schedule = services.schedule(
                by=person(request), plan_id=plan_id, now=clock.now(), **found
            )
        location = {"Location": f"{request.path}/{schedule.id}"}
        return Response(schedule.as_json(), status.HTTP_201_CREATED, headers=location)


class ScheduleView(RoomView):
    needs = {"GET": "runs.view_schedule", "DELETE": "runs.delete_schedule"}

    def get(self, request: Request, schedule_id: str) -> Response:
        with told():
            return Response(services.get_schedule(schedule_id=schedule_id).as_json())

    def delete(self, request: Request, schedule_id: str) -> Response:
        """It starts nothing any more; it stays to be read, and so do its runs."""
        with told():
            schedule = services.cancel_schedule(
                schedule_id=schedule_id, by=person(request), now=clock.now()
            )
        return Response(schedule.as_json())


class TargetsView(RoomView):
    needs = {"GET": "runs.view_target"}

    def get(self, request: Request) -> Response:
        return Response({"targets": [target.as_json() for target in services.list_targets()]})
