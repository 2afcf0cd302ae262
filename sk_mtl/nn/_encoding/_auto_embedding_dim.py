"""The width of an embedding by its number of codes."""


def auto_embedding_dim(cardinality: int) -> int:
    """Return the embedding width for a column with `cardinality` codes.

    The smallest power of two that is at least the cube root of the cardinality, kept
    between 2 and 32: 2 up to 8 codes, 4 up to 64, 8 up to 512, 16 up to 4,096 and 32
    beyond. Powers of two keep the number of distinct widths, each of which costs one
    lookup, at five, and the ceiling keeps a column of ten million users at 1.3 GB in
    single precision.

    Parameters
    ----------
    cardinality : int
        The number of codes, the unknown code included.

    Examples
    --------
    The width grows slowly with the number of codes.

    >>> from sk_mtl.nn import auto_embedding_dim
    >>> [auto_embedding_dim(n) for n in (3, 53, 500, 4_000, 10_000_000)]
    [2, 4, 8, 16, 32]
    """
    for dim in (2, 4, 8, 16):
        if cardinality <= dim**3:
            return dim
    return 32
