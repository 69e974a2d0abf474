"""Run in KozmoAI's environment by test_inside: forms of nodes that were saved long ago, or oddly.

Nothing of what is refreshed here asks a plug-in.
"""

import asyncio
from copy import deepcopy
from pathlib import Path

import pytest

from kozmo_bridge import _host

PATH = Path(_host.__file__).parent / "components" / "path"
STUBS = sorted(PATH.glob("*/*.py"))
HostComponent = _host.module("custom.custom_component.component").Component
template_of = _host.module("custom.utils").build_custom_component_template
ODD = (None, "", "text", 5, 3.5, True, [], {}, ["a"], [None], [["a"]], {"a": 1}, [{"a": 1}])
ASKS = {"table_name", "schema_name"}
"""Inputs whose refresh looks into a database."""


@pytest.fixture(scope="module", params=STUBS, ids=lambda stub: stub.stem)
def node(request):
    """A node's code, its form, and the inputs that refresh it."""
    code = request.param.read_text()
    made, instance = template_of(HostComponent(_code=code))
    refreshing = [each.name for each in instance.inputs if getattr(each, "real_time_refresh", 0)]
    return type(instance), code, made["template"], [n for n in refreshing if n not in ASKS]


def refreshed(node, form, name, value):
    """Refresh a form as the host does, after *name* was set to *value*."""
    kind, code, *_ = node
    instance = kind(_code=code)
    instance.set_attributes({k: v.get("value") for k, v in form.items() if isinstance(v, dict)})
    assert asyncio.run(instance.update_build_config(form, value, name)) is form


def test_an_older_node_may_lack_any_input(node):
    """What is new since it was saved is simply not there."""
    _, _, template, refreshing = node
    for lacking in [name for name, field in template.items() if isinstance(field, dict)]:
        for name in refreshing:
            form = deepcopy(template)
            del form[lacking]
            refreshed(node, form, name, template[name].get("value"))
            assert lacking not in form


def test_odd_values_do_not_break_a_form(node):
    """Of any type, in the input that was changed; the others as they were."""
    _, _, template, refreshing = node
    for name in refreshing:
        for value in ODD:
            form = deepcopy(template)
            refreshed(node, form, name, False if name.startswith("test_") else value)
            assert set(template) <= set(form)
