"""What torch makes while a block runs."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LargestTensor(TorchDispatchMode):
    """Knows the bytes of the largest tensor made by an operation in its block.

    A view and a tensor that was changed in place are no new tensors. Of a sparse tensor
    the indices and the values count, not the size that it stands for.

    Attributes
    ----------
    n_bytes : int
    """

    def __init__(self):
        super().__init__()
        self.n_bytes = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        before = _storages([args, kwargs])
        result = operation(*args, **kwargs)
        made = _storages(result).items() - before.items()
        self.n_bytes = max([self.n_bytes, *(n_bytes for _, n_bytes in made)])
        return result


def _storages(tree):
    """Return the bytes of each storage, by its address."""
    tensors = [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
    dense = [t for t in tensors if not t.is_sparse]
    for tensor in tensors:
        if tensor.is_sparse:
            dense += [tensor._indices(), tensor._values()]
    storages = [tensor.untyped_storage() for tensor in dense]
    return {storage.data_ptr(): storage.nbytes() for storage in storages}
