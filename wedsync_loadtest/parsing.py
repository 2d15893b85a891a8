"""JSON of a size and depth that this server can hold; every address of the REST API reads it so."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser

LARGEST_BODY = 2_500_000


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The body has more than {most / 1e6:g} million bytes; send less at once.")


class BoundedJSONParser(BaseParser):
    """DRF's DEFAULT_PARSER_CLASSES: UTF-8, no NaN, no depth that ends the interpreter's stack.

    A view may say that its bodies can be larger: `largest_body`, in bytes.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = getattr((parser_context or {}).get("view"), "largest_body", LARGEST_BODY)
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(most)
        try:
            return json.loads(body.decode(), parse_constant=_refuse_constant)
        except ValueError as error:
            raise exceptions.ParseError(f"This is not JSON: {error}.") from None
        except RecursionError:
            raise exceptions.ParseError("This JSON is nested too deeply.") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
