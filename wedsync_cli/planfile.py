"""A plan file's YAML as JSON, for ./wedsync run: `python -m wedsync_cli.planfile < plan.yml`.

The only file here that needs more than the standard library: it runs in the environment that
`bootstrap` made, as a program, and nobody imports it. Ends with 1 and a sentence for what is no
YAML.
"""

import json
import sys
from typing import Any

import yaml

LARGEST = 1_000_000


class Loader(yaml.BaseLoader):
    """Every value is the text as it stands there: `yes` is yes, 1.10 is 1.10."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in seen:
            if seen.count(name) > 1:
                mark = node.start_mark
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} is there twice", mark
                )
        return super().construct_mapping(node, deep)


def main() -> int:
    try:
        words = yaml.load(sys.stdin.buffer.read(LARGEST), Loader)
        text = json.dumps(words)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        print(f"{where}{error.problem}", file=sys.stderr)
        return 1
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
