"""The caller's arguments, converted and checked: options, arrays, shapes, labels, values."""
