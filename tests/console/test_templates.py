"""Templates are compiled when they are first shown: that each can be is found here, and not by whoever opens it."""

from __future__ import annotations

from gateway.console.page import environment


def test_every_template_compiles() -> None:
    names = environment().list_templates()
    assert "layout.html.jinja" in names
    for name in names:
        environment().get_template(name)
