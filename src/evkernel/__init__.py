"""The event kernel that circuits, vanilla and sig share: a poller, timers, a wake-up and two drivers."""
