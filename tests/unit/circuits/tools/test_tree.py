from __future__ import annotations

from typing import Any

from circuits import BaseComponent, Component, Manager
from circuits.tools import edges, findroot, kill, walk


class Family(Component):
    """A root with two children, the first of which has one too."""

    def __init__(self) -> None:
        super().__init__()
        self.bob = Component(channel="bob").register(self)
        self.bobby = Component(channel="bobby").register(self.bob)
        self.fred = Component(channel="fred").register(self)


def channels_by_depth(depth: int, component: Any) -> tuple[int, str]:
    return depth, component.channel


def test_walking_gives_parents_before_children_and_siblings_as_they_were_registered() -> None:
    assert list(walk(Family(), channels_by_depth)) == [(0, "*"), (1, "bob"), (2, "bobby"), (1, "fred")]


def test_walking_begins_anywhere_and_at_any_depth() -> None:
    assert list(walk(Family().bob, channels_by_depth, 5)) == [(5, "bob"), (6, "bobby")]


def test_who_has_been_visited_is_left_out_with_all_below() -> None:
    family = Family()
    visited: set[Any] = {family.bob}

    assert list(walk(family, channels_by_depth, v=visited)) == [(0, "*"), (1, "fred")]
    assert visited == {family, family.bob, family.fred}


def test_walking_is_lazy_and_bears_a_tree_that_changes() -> None:
    family = Family()
    steps = walk(family, channels_by_depth)

    assert next(steps) == (0, "*")
    family.bob.unregister()
    family.tick()
    family.tick()

    assert next(steps) == (1, "fred")


def test_many_siblings_keep_their_order() -> None:
    root = Component()
    for number in range(50):
        Component(channel=str(number)).register(root)

    assert [channel for _, channel in walk(root, channels_by_depth)] == ["*", *map(str, range(50))]


def test_edges_lead_from_parents_to_children_with_the_depth_of_the_child() -> None:
    family = Family()

    assert edges(family) == {(family, family.bob, 1), (family.bob, family.bobby, 2), (family, family.fred, 1)}
    assert edges(family.bob, d=1) == {(family.bob, family.bobby, 2)}


def test_edges_are_added_to_a_set_that_is_given() -> None:
    family = Family()
    found: set[tuple[Any, Any, int]] = set()

    assert edges(family, found) is found
    assert len(found) == 3
    assert edges(family, v={family.bob}) == {(family, family.fred, 1)}


def test_the_root_is_found_from_everywhere() -> None:
    family = Family()

    assert findroot(family) is findroot(family.bobby) is findroot(family.fred) is family


def test_a_plain_manager_may_be_the_root() -> None:
    manager = Manager()
    component = Component().register(manager)

    assert findroot(component) is manager
    assert list(walk(manager, lambda depth, x: x)) == [manager, component]


def test_killing_takes_a_tree_apart_children_first() -> None:
    class Watcher(BaseComponent):
        """Sees what leaves."""

    family, left = Family(), []
    top = Component().register(Manager())
    family.register(top)

    def unregistered(self: Any, component: Any, parent: Any) -> None:
        left.append(component)

    top.root.addHandler(unregistered)
    kill(family)
    for _ in range(10):
        top.root.flush()

    assert {component.parent for component in (family, family.bob, family.bobby, family.fred)} == {
        family,
        family.bob,
        family.bobby,
        family.fred,
    }
    assert top.components == set()
    assert left.index(family.bobby) < left.index(family.bob) < left.index(family)


def test_killing_a_root_leaves_it_alone() -> None:
    family = Family()

    kill(family)
    for _ in range(10):
        family.flush()

    assert family.components == set()
    assert family.bob.root is family.bob
