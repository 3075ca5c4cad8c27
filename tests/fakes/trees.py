"""Notes of trees, made in a line."""

from kqi_hub.domain.dataset_ports import TreeNote, TreeState


def note_of(key: str, used_at: float, tenant: str = "vision") -> TreeNote:
    """Return the note of a tree that is ready."""
    return TreeNote(tenant, key, 1, TreeState.READY, 2, 43, used_at, used_at)
