"""Three by three: as much of linear algebra as colours need."""

from __future__ import annotations

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
_NOTHING = 1e-9


def product(left: Matrix, right: Matrix) -> Matrix:
    return columns_of(tuple(applied(left, column) for column in zip(*right, strict=True)))


def applied(matrix: Matrix, vector: tuple[float, ...]) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def columns_of(columns: tuple[Vector, ...]) -> Matrix:
    first, second, third = zip(*columns, strict=True)
    return first, second, third


def diagonal(values: Vector) -> Matrix:
    return (values[0], 0.0, 0.0), (0.0, values[1], 0.0), (0.0, 0.0, values[2])


def inverse(matrix: Matrix) -> Matrix:
    """Raises ``ZeroDivisionError`` where there is none, or none that is worth the name."""
    first, second, third = columns_of(matrix)
    rows = _cross(second, third), _cross(third, first), _cross(first, second)
    volume = sum(a * b for a, b in zip(first, rows[0], strict=True))
    if abs(volume) < _NOTHING:
        raise ZeroDivisionError("a matrix without an inverse")
    scaled = tuple((row[0] / volume, row[1] / volume, row[2] / volume) for row in rows)
    return scaled[0], scaled[1], scaled[2]


def _cross(left: Vector, right: Vector) -> Vector:
    return (
        left[1] * right[2] - left[2] * right[1],
        left[2] * right[0] - left[0] * right[2],
        left[0] * right[1] - left[1] * right[0],
    )
