"""/api/load-testing/plans: what is saved to be started again, its baseline and its trend."""

from dataclasses import replace
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

import clock
from runs import services
from runs.api import words
from runs.api.view import RoomView, name_of, person, told


class PlansView(RoomView):
    needs = {"GET": "runs.view_plan", "POST": "runs.add_plan"}
    largest_body = words.LONGEST_BODY

    def get(self, request: Request) -> Response:
        return Response({"plans": [plan.as_json() for plan in services.list_plans()]})

    def post(self, request: Request) -> Response:
        wanted = services.Request(**words.read(words.RequestWords, request))
        with told():
            plan = services.add_plan(by=person(request), request=wanted, now=clock.now())
        location = {"Location": f"{request.path}/{plan.id}"}
        return Response(_whole(plan.id), status.HTTP_201_CREATED, headers=location)


class PlanView(RoomView):
    needs = {
        "GET": "runs.view_plan",
        "PATCH": "runs.change_plan",
        "DELETE": "runs.delete_plan",
    }
    largest_body = words.LONGEST_BODY

    def get(self, request: Request, plan_id: str) -> Response:
        with told():
            return Response(_whole(plan_id))

    def patch(self, request: Request, plan_id: str) -> Response:
        """Runs that were started from it keep what they were started with."""
        with told():
            plan = services.request_of_plan(plan_id=plan_id)
        found = words.read(words.RequestWords, request, partial=True)
        wanted = replace(plan, **found)
        with told():
            services.change_plan(
                plan_id=plan_id, request=wanted, by=name_of(request), now=clock.now()
            )
            return Response(_whole(plan_id))

    def delete(self, request: Request, plan_id: str) -> Response:
        with told():
            services.delete_plan(plan_id=plan_id, by=name_of(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class BaselineView(RoomView):
    """`{"run": "7"}` is what the plan's runs are compared with from now on; null is none."""

    needs = {"PUT": "runs.change_plan"}

    def put(self, request: Request, plan_id: str) -> Response:
        run_id = words.read(words.BaselineWords, request)["run"]
        with told():
            plan = services.set_baseline(
                plan_id=plan_id, run_id=run_id, by=name_of(request), now=clock.now()
            )
        return Response(plan.as_json())


class TrendView(RoomView):
    def get(self, request: Request, plan_id: str) -> Response:
        with told():
            points = services.trend(plan_id=plan_id)
        return Response({"points": [point.as_json() for point in points]})


def _whole(plan_id: str) -> dict[str, Any]:
    """A plan with what the list leaves out, since it may be long."""
    plan, request = services.get_plan(plan_id=plan_id), services.request_of_plan(plan_id=plan_id)
    long = {"script": request.script, "files": request.files, "ca": request.ca}
    return plan.as_json() | long
