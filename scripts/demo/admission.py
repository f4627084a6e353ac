"""What a brand must meet before it is let in: the operator states it, and two second people sign for each brand that it is so."""

from __future__ import annotations

import json
from typing import Any

from scripts.demo.world import World

CRITERIA = (
    ("owner_known", "Who holds the owner's key was met in person, and told its address there"),
    ("limit_agreed", "Its limit and its terms are those that it was asked about directly"),
)


def state_criteria(world: World) -> None:
    """Before the first brand joins. What the second people say of each is in a file of theirs."""
    body = {"criteria": [{"name": name, "text": text} for name, text in CRITERIA]}
    version = world.operator.post("/v1/coalition/admission-criteria", body, "admission-criteria")["version"]
    answers = [{"criterion": name, "answer": "met"} for name, _ in CRITERIA]
    world.second_people.checklist.write_text(json.dumps({"version": version, "answers": answers}))


def tell(world: World) -> dict[str, Any]:
    """The criteria in force, and how many people signed for each brand."""
    stated = world.operator.get("/v1/coalition/admission-criteria")
    brands = {brand["name"]: brand["brand_id"] for brand in world.operator.get("/v1/brands")}
    signed = {
        name: len({each["approver"] for each in world.operator.get(f"/v1/brands/{brand_id}/admission")["checklists"]})
        for name, brand_id in brands.items()
    }
    return {"version": stated["version"], "criteria": [each["name"] for each in stated["criteria"]], "signed": signed}


def line(admitted: dict[str, Any]) -> str:
    signed = ", ".join(f"{name} {count}" for name, count in admitted["signed"].items())
    return (
        f"Admission: {len(admitted['criteria'])} criteria ({', '.join(admitted['criteria'])}); second people who signed for each: {signed}"
    )
