from tests.practice.groups.conftest import agreement, bank

__all__ = ["agreement", "bank"]
