"""However components and handlers come, go and move: who is called for an event is what the rules say, no more no less.

The rules are written down once more in `Model`, in the plainest way, without anything that is kept between two events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from circuits import BaseComponent, Event, handler
from circuits.core.manager import UnregistrableError

NAMES = ["red", "green"]
CHANNELS = ["*", "left", "right"]


@dataclass(eq=False)
class Handler:
    """One handler of the model."""

    number: int
    names: tuple[str, ...]
    channel: Any  # None: that of the component; a Node: private events to that
    priority: float
    method: Any = None


@dataclass(eq=False)
class Node:
    """One component of the model."""

    component: BaseComponent
    channel: str
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    handlers: list[Handler] = field(default_factory=list)
    leaving: bool = False

    def root(self) -> Node:
        return self if self.parent is None else self.parent.root()

    def walk(self) -> list[Node]:
        if self.leaving:
            return []
        return [self, *(node for child in self.children for node in child.walk())]


def matches(handler: Handler, node: Node, name: str, channel: str | Node) -> bool:
    """Say whether a handler of *node* is called for an event on one channel."""
    if handler.names and name not in handler.names:
        return False
    listens = node.channel if handler.channel is None else handler.channel
    if isinstance(channel, Node):
        return channel is node or listens is channel or (listens == "*" and not handler.names)
    if isinstance(listens, Node):
        return False
    return listens == "*" or channel in ("*", listens)


def expected(root: Node, name: str, channels: list[str | Node]) -> list[int]:
    """Give the numbers of the handlers that are called, in order."""
    found = [
        handler
        for channel in channels
        for node in root.walk()
        for handler in node.handlers
        if matches(handler, node, name, channel)
    ]
    return [handler.number for handler in sorted(found, key=lambda handler: -handler.priority)]


class Part(BaseComponent):
    """A component without handlers of its own."""


class Matching(RuleBasedStateMachine):
    """Build trees at random and fire events at them."""

    nodes = Bundle("nodes")
    handlers = Bundle("handlers")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.called: list[int] = []
        self.all: list[Node] = []

    def make(self, channel: str) -> Node:
        node = Node(Part(channel=channel), channel)
        self.all.append(node)
        # Somebody should be there to be called: most hear what their neighbours hear.
        self.add_handler_to(node, ("red",), None, 0)
        return node

    @initialize(target=nodes, channels=st.lists(st.sampled_from(CHANNELS), min_size=4, max_size=6))
    def begin(self, channels: list[str]) -> Any:
        nodes = [self.make(channel) for channel in channels]
        for node in nodes[1:-1]:
            self.register(node, nodes[0])
        return multiple(*nodes)

    @rule(target=nodes, channel=st.sampled_from(CHANNELS))
    def create(self, channel: str) -> Node:
        return self.make(channel)

    @rule(
        target=handlers,
        node=nodes,
        names=st.sampled_from([(), ("red",), ("green",), ("red", "green")]),
        channel=st.one_of(st.none(), st.sampled_from(CHANNELS), nodes),
        priority=st.sampled_from([0, 0, 1, -1, 0.5]),
    )
    def add_handler(self, node: Node, names: tuple[str, ...], channel: Any, priority: float) -> Any:
        return node, self.add_handler_to(node, names, channel, priority)

    def add_handler_to(self, node: Node, names: tuple[str, ...], channel: Any, priority: float) -> Handler:
        self.count += 1
        number = self.count

        def call(component: Any, event: Event, *args: Any) -> None:
            if event.name in NAMES:
                self.called.append(number)

        where = channel.component if isinstance(channel, Node) else channel
        marked = handler(*names, channel=where, priority=priority)(call)
        added = Handler(number, names, channel, priority, node.component.addHandler(marked))
        node.handlers.append(added)
        return added

    @rule(pair=consumes(handlers))
    def remove_handler(self, pair: Any) -> None:
        node, added = pair
        node.component.removeHandler(added.method)
        node.handlers.remove(added)

    @rule(node=nodes, channel=st.sampled_from(CHANNELS))
    def change_channel(self, node: Node, channel: str) -> None:
        node.component.channel = channel
        node.channel = channel

    @rule(child=nodes, parent=nodes)
    def register(self, child: Node, parent: Node) -> None:
        above = parent
        while above is not child and above.parent is not None:
            above = above.parent
        if above is child:
            try:
                child.component.register(parent.component)
            except UnregistrableError:
                return
            raise AssertionError("a component was registered below itself")
        same = child.parent is parent
        child.component.register(parent.component)
        if not same:
            if child.parent is not None:
                child.parent.children.remove(child)
            child.parent = parent
            parent.children.append(child)
            child.leaving = False
            self.settle(parent)

    @rule(node=nodes, at_once=st.booleans())
    def unregister(self, node: Node, at_once: bool) -> None:
        node.component.unregister()
        if node.parent is not None:
            node.leaving = True
            if at_once:
                self.settle(node)

    @rule(node=nodes)
    def settle(self, node: Node) -> None:
        """Let everything that is queued happen: who is leaving is gone then."""
        root = node.root()
        for _ in range(100):
            if not root.component._evtree.busy:
                break
            root.component.tick()
        self.called.clear()
        for other in [other for other in self.all if other.leaving and other.root() is root]:
            assert other.parent is not None
            other.parent.children.remove(other)
            other.parent = None
            other.leaving = False
        # Those that have left are trees of their own, with nothing queued.

    @rule(
        node=nodes,
        name=st.sampled_from(NAMES),
        channels=st.lists(st.one_of(st.sampled_from(CHANNELS), nodes), min_size=1, max_size=3),
    )
    def fire(self, node: Node, name: str, channels: list[Any]) -> None:
        root = node.root()
        wanted = expected(root, name, channels)
        self.called.clear()
        where = [channel.component if isinstance(channel, Node) else channel for channel in channels]
        # Delivered alone and at once, before anybody who is leaving is gone.
        others = list(root.component._evtree.queue)
        root.component._evtree.queue.clear()
        node.component.fire(Event.create(name), *where)
        root.component.flush()
        root.component._evtree.queue.extendleft(reversed(others))

        assert self.called == wanted

    @invariant()
    def the_tree_is_the_models(self) -> None:
        for node in self.all:
            parent = node.component if node.parent is None else node.parent.component
            assert node.component.parent is parent
            assert node.component.root is node.root().component
            assert {child.component for child in node.children} == node.component.components


Matching.TestCase.settings = settings(stateful_step_count=40)
TestMatching = Matching.TestCase
