"""Decodes the examples of the document with the models that datamodel-code-generator makes.

usage: decode_examples.py DOCUMENT.json

The generated module `models` has to be on the path.
"""

import json
import sys
from typing import Any, Iterator

import models
from pydantic import BaseModel, ValidationError


def bodies(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yields operation, name of the schema and value of each example of a body."""

    def resolved(value: Any) -> Any:
        while "$ref" in value:
            target = value["$ref"].split("/")[1:]
            value = document
            for name in target:
                value = value[name.replace("~1", "/").replace("~0", "~")]
        return value

    for item in document["paths"].values():
        for operation in item.values():
            parts = [*operation["responses"].values()]
            if "requestBody" in operation:
                parts.append(operation["requestBody"])
            for part in parts:
                content = resolved(part).get("content", {})
                body = content.get("application/json", {})
                name = body.get("schema", {}).get("$ref", "").split("/")[-1]
                for example in body.get("examples", {}).values() if name else ():
                    yield operation["operationId"], name, resolved(example)["value"]


def is_decoded(name: str, value: Any) -> bool:
    """Returns whether the model decodes the value and encodes it to the same value again."""
    model: type[BaseModel] = getattr(models, name)
    try:
        decoded = model.model_validate(value)
    except ValidationError as error:
        print(error, file=sys.stderr)
        return False
    return bool(decoded.model_dump(mode="json", by_alias=True, exclude_unset=True) == value)


def main() -> None:
    """Decodes each example, and fails if a wrong one decodes."""
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    count = 0
    for operation, name, value in bodies(document):
        if not is_decoded(name, value):
            sys.exit(f"{operation}: {name} does not decode {value}")
        count += 1
    if is_decoded("Batch", {"batchId": 7}):
        sys.exit("negative control: a wrong batch was decoded")
    print(json.dumps({"examples": count}))


main()
