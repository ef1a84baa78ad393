"""Formulas as MathML, which browsers draw without a script and without a network."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

THIN = '<mspace width="0.167em"/>'  # as TeX has it, around the name of a function


def mathml(tex, **options):
    """Return the formula, whose functions stand apart from what is around them."""
    name = r"(<mi>\w+</mi>)\s*<mo>&ApplyFunction;</mo>"
    return re.sub(name, rf"{THIN}\1{THIN}", tex2mathml(tex, **options))


def inline(translator, node):
    """Write a formula in a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def block(translator, node):
    """Write a formula that has lines of its own."""
    formula = mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="formula">{formula}</div>')
    raise nodes.SkipNode


def setup(app):
    """Make the renderer known."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
