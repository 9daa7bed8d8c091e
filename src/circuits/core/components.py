"""Components: managers that have handlers and a place in a tree.

construct ──▶ handlers bound ──▶ init(…) ──▶ register ──▶ registered
unregister ──▶ prepare_unregister ──▶ … all reactions processed, coroutines ended ──▶ detached ──▶ unregistered
"""

from __future__ import annotations

from types import MethodType

from ._coroutine_owner import coroutines_of
from ._specs import OWN
from .events import prepare_unregister, registered, unregistered
from .handlers import HandlerMetaClass, handler
from .manager import Manager, UnregistrableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from .events import Event

__all__ = ["BaseComponent", "Component", "prepare_unregister"]


class BaseComponent(Manager, metaclass=HandlerMetaClass):
    """A part of a program, whose methods marked with `handler` are called for events.

    Attributes:
        channel: what it listens and fires on; `*`, every channel, by default. A class attribute, or a keyword when the
            component is made.
        components: the set of its children.
        parent: the component it is registered with; itself when there is none.
        root: the topmost component of its tree.

    Args:
        args: go to `init`, if the class has that.
        kwargs: go there too; `channel` is used here, and goes there if it is wanted.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        if "channel" in kwargs:
            self.channel = kwargs["channel"]
        cls = type(self)
        self._add_handlers([(spec, MethodType(spec.function, self)) for spec in cls.handler_specs()])
        for component in _class_components(cls):
            component.register(self)
        init = getattr(self, "init", None)
        if init is not None:
            if "channel" in kwargs and not _takes_channel(init):
                del kwargs["channel"]
            init(*args, **kwargs)

    @classmethod
    def handlers(cls) -> list[str]:
        """Give the names of the methods that are handlers."""
        return list(dict.fromkeys(spec.function.__name__ for spec in cls.handler_specs()))

    @classmethod
    def events(cls) -> list[str]:
        """Give the names of the events that are handled."""
        return list(dict.fromkeys(name for spec in cls.handler_specs() for name in spec.names))

    @classmethod
    def handles(cls, *names: str) -> bool:
        """Tell whether every one of *names* is a method that is a handler."""
        return set(names) <= set(cls.handlers())

    @property
    def unregister_pending(self) -> bool:
        """Whether the component, or one that it is part of, is about to leave its tree."""
        node: Manager = self
        while not node._evnode.leaving:
            if node.parent is node:
                return False
            node = node.parent
        return True

    def register(self, parent: Manager) -> Self:
        """Become a child of *parent*; fire `registered`.

        A component that is already the child of another one leaves that first.

        Returns:
            The component itself.

        Raises:
            UnregistrableError: when *parent* is in the subtree of this component, or this component runs itself.
        """
        if self.parent is parent and parent is not self:
            return self
        self._check_parent(parent)
        if self.parent is not self:
            self.parent.unregisterChild(self)
        parent.registerChild(self)
        self.fire(registered(self, parent))
        return self

    def _check_parent(self, parent: Manager) -> None:
        node = parent
        while node is not self:
            if node.parent is node:
                return
            node = node.parent
        where = "itself" if parent is self else f"{parent!r}, which is in its subtree"
        raise UnregistrableError(f"{self!r} cannot be registered with {where}")

    def unregister(self) -> Self:
        """Leave the tree, together with the subtree: no further events from now on.

        The component is detached, and `unregistered` fired, once everything that the reactions to
        `prepare_unregister` have caused has been processed and the coroutines of the subtree have ended.

        Returns:
            The component itself.
        """
        if self.parent is self or self._evnode.leaving:
            return self
        event: Event = prepare_unregister(self)
        event.complete_channels = (self,)
        self._evnode.leaving = event
        for member in self._subtree():
            self._evtree.plans.forget(member, member._handlers)
        self.fire(event)
        return self

    # On its own channel, so that nobody else is detached with it.
    @handler("prepare_unregister_complete", channel=OWN)
    def _on_prepare_unregister_complete(self, event: Event, *_: Any) -> None:
        # It may have been registered elsewhere meanwhile, which ends the departure.
        if event.parent is self._evnode.leaving:
            self._leave()

    def _leave(self) -> None:
        """Be detached, now or when the last coroutine of the subtree has ended."""
        if self._evnode.leaving is None:
            return
        members = list(self._subtree())
        coroutines = coroutines_of(self._evtree, members)
        for member in members:
            member._evnode.when_tasks_end = self._leave if coroutines else None
        if coroutines:
            for coroutine in coroutines:
                coroutine.cancel()
            return
        parent = self.parent
        parent.unregisterChild(self)
        parent.fire(unregistered(self, parent), self.channel)

    def __add__(self, other: BaseComponent) -> Self:
        other.register(self)
        return self

    def __iadd__(self, other: BaseComponent) -> Self:
        other.register(self)
        return self

    def __sub__(self, other: BaseComponent) -> Self:
        other.unregister()
        return self

    def __isub__(self, other: BaseComponent) -> Self:
        other.unregister()
        return self


class Component(BaseComponent):
    """A component whose public methods are all handlers: each for the event of its own name."""

    _implicit_handlers = True


def _class_components(cls: type) -> list[BaseComponent]:
    """Give the components that stand in the class as attributes."""
    found = {
        name: value
        for base in reversed(cls.__mro__)
        for name, value in base.__dict__.items()
        if isinstance(value, BaseComponent)
    }
    return list(found.values())


def _takes_channel(init: Any) -> bool:
    code = getattr(init, "__code__", None)
    if code is None:
        return True
    takes_any = bool(code.co_flags & 0x08)  # **kwargs
    return takes_any or "channel" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
