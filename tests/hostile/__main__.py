"""Print the table: what is done to each format, and what must become of it."""

from __future__ import annotations

from tests.hostile import archives, inputs, json_inputs, table_inputs, xml_inputs
from tests.hostile.formats import FORMATS

NAMES = [one.name for one in FORMATS]
FAMILIES = (inputs.fields, json_inputs.json, xml_inputs.xml, table_inputs.tables, inputs.everywhere, archives.archives)


def main() -> None:
    """One line for each attack, one column for each format; a dot where the format has no such thing."""
    cells: dict[str, dict[str, str]] = {}
    for family in FAMILIES:
        for one in family():
            cells.setdefault(one.attack, {})[one.format.name] = f"{one.status} {one.code}"
    print("| what is done | " + " | ".join(NAMES) + " |")
    print("|---" * (len(NAMES) + 1) + "|")
    for attack, row in cells.items():
        print(f"| {attack} | " + " | ".join(row.get(name, "·") for name in NAMES) + " |")


if __name__ == "__main__":
    main()
