"""Know who is called for an event: the handlers of a tree by name, and ready-made plans by channels.

    tree ── attach, detach ──▶ receivers: name → components
                                   │  compile, once per name and channels
                                   ▼
                               plans: name → channels → ((method, wants event), …)

Rule 1: a plan is in the order of the calls: higher priority first; then channels in the order fired to; then
components from the root down, siblings as registered; then handlers from the most derived class to its bases.
Rule 2: a change of the tree drops the plans of the names it touches and no others, so that components may come and go
at a high rate in a large tree.
Rule 3: events to a component itself are planned from that component, its guests (who have a handler on it as a channel)
and those who handle every event. Such plans live on the component: here they would keep it alive.
Rule 4: a plan that was made while handlers came or went, in another thread, is used once and not kept.
"""

from __future__ import annotations

from ._specs import ANY, OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._tree import Tree
    from .manager import Manager

__all__ = ["Entry", "Fallback", "Plan", "Plans", "stand_in"]

#: One call of a plan: what to call, and whether it takes the event first.
Plan = tuple[tuple["Callable[..., Any]", bool], ...]

#: Channels may be made up at run time, so the number of kept plans has a limit; past it all are made anew.
MAX_PLANS = 4096


class Fallback:
    """What is called behind the handlers of an event.

    Args:
        method: what is called, the event first.
        always: in any case, or only when there is no handler for the event by name.
    """

    __slots__ = ("always", "method")

    def __init__(self, method: Callable[..., Any], *, always: bool) -> None:
        self.method = method
        self.always = always


#: By event name; `helpers` puts the kernel's there.
_fallbacks: dict[str, Fallback] = {}


def stand_in(name: str, fallback: Fallback) -> None:
    """Have *fallback* called behind the handlers of the events called *name*."""
    _fallbacks[name] = fallback


class Entry:
    """One handler of one component."""

    __slots__ = ("channel", "method", "names", "owner", "priority", "wants_event")

    def __init__(
        self, owner: Manager, method: Any, names: tuple[str, ...], channel: Any, priority: float, wants_event: bool
    ) -> None:
        self.owner = owner
        self.method = method
        self.names = names
        self.channel = channel
        self.priority = priority
        self.wants_event = wants_event

    def listens_to(self, channel: Any, owner_is_target: bool) -> bool:
        """Tell whether the handler is called for an event on *channel*.

        Args:
            channel: one channel of the event; a component stands for itself.
            owner_is_target: whether *channel* is the component of this handler.
        """
        if owner_is_target:
            return True
        mine = self.owner._evchannels[0] if self.channel is None else self.channel
        if _is_component(channel):
            return mine is channel or (mine == ANY and not self.names)
        if mine is OWN or _is_component(mine):
            return False
        return bool(mine in (ANY, channel) or channel == ANY)


def _is_component(channel: Any) -> bool:
    return hasattr(channel, "fireEvent")


class Plans:
    """The handlers of one tree."""

    __slots__ = ("_changes", "_kept", "by_name", "observers", "receivers", "tree")

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.receivers: dict[str, dict[Manager, None]] = {}
        #: The plans that are ready, for `deliver` to look into before it calls `find`.
        self.by_name: dict[str, dict[tuple[Any, ...], Plan]] = {}
        self._kept = 0
        #: Goes up whenever handlers come or go.
        self._changes = 0
        #: Goes up when a handler for every event comes or goes: plans kept elsewhere are then out of date.
        self.observers = 0

    def attach(self, component: Manager, names: Iterable[str]) -> None:
        """Take in the handlers that *component* has for *names*."""
        for name in names:
            self.receivers.setdefault(name, {})[component] = None
        self.forget(component, names)

    def detach(self, component: Manager, names: Iterable[str]) -> None:
        """Drop the handlers that *component* has for *names*."""
        for name in names:
            components = self.receivers.get(name)
            if components is not None and component in components:
                del components[component]
                if not components:
                    del self.receivers[name]
        self.forget(component, names)

    def forget(self, component: Manager, names: Iterable[str]) -> None:
        """Drop the plans that *component* has, or may have, a part in with its handlers for *names*."""
        self._changes += 1
        component._evnode.own_plans = None
        for host in component._evnode.hosts:
            host._evnode.own_plans = None
        for name in names:
            if name == ANY:
                self.observers += 1
                self.by_name.clear()
                self._kept = 0
            else:
                self.by_name.pop(name, None)

    def find(self, name: str, channels: tuple[Any, ...]) -> Plan:
        """Give the plan for events called *name* on *channels*."""
        try:
            plan = self.by_name.get(name, {}).get(channels)
        except TypeError:
            # A list, of channels or as one of them: nothing to keep a plan by.
            return self._compile(name, tuple(channels))
        if plan is not None:
            return plan
        if len(channels) == 1 and _is_component(channels[0]):
            return self._find_own(name, channels[0])
        changes = self._changes
        plan = self._compile(name, channels)
        if changes == self._changes and not any(_is_component(channel) for channel in channels):
            if self._kept >= MAX_PLANS:
                self.by_name.clear()
                self._kept = 0
            self.by_name.setdefault(name, {})[channels] = plan
            self._kept += 1
        return plan

    def _find_own(self, name: str, component: Manager) -> Plan:
        node = component._evnode
        if component._evtree is not self.tree:
            return self._compile(name, (component,))
        version, plans = node.own_plans or (-1, {})
        if version != self.observers:
            version, plans = node.own_plans = (self.observers, {})
        if name in plans:
            plan: Plan = plans[name]
            return plan
        changes = self._changes
        plan = self._compile(name, (component,))
        if changes == self._changes:
            plans[name] = plan
        return plan

    def _compile(self, name: str, channels: tuple[Any, ...]) -> Plan:
        entries = [entry for channel in channels for entry in self._entries(name, channel)]
        entries.sort(key=lambda entry: -entry.priority)
        plan = tuple((entry.method, entry.wants_event) for entry in entries)
        fallback = _fallbacks.get(name)
        if fallback is not None and (fallback.always or not any(entry.names for entry in entries)):
            plan += ((fallback.method, True),)
        return plan

    def _entries(self, name: str, channel: Any) -> list[Entry]:
        """Give the handlers for *name* on one channel, in the order of the tree."""
        if _is_component(channel):
            candidates = {channel: None, **dict.fromkeys(channel._evnode.guests), **self.receivers.get(ANY, {})}
        else:
            candidates = {**self.receivers.get(name, {}), **self.receivers.get(ANY, {})}
        placed = [
            (place, component)
            for component in candidates
            if component._evtree is self.tree and (place := place_in_tree(component, name, channel)) is not None
        ]
        placed.sort(key=lambda pair: pair[0])
        return [
            entry
            for _, component in placed
            for entry in component._evnode.entries
            if (not entry.names or name in entry.names) and entry.listens_to(channel, component is channel)
        ]


def place_in_tree(component: Manager, name: str, channel: Any) -> tuple[int, ...] | None:
    """Give where a component stands, comparable with others of its tree; None when it no longer gets events.

    A component that is about to leave still hears that it, or one of its ancestors, is about to.
    """
    hears = name == "prepare_unregister" or (name == "prepare_unregister_complete" and component is channel)
    place: list[int] = []
    node = component
    while True:
        if node._evnode.leaving and not hears:
            return None
        if node.parent is node:
            break
        place.append(node._evnode.position)
        node = node.parent
    return tuple(reversed(place))
