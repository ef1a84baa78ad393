"""Names of the package that stand in code lead to their page of the reference."""

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform

APART = (nodes.reference, nodes.title, pending_xref)  # what is a link, or had better not be one


class Names(SphinxPostTransform):
    """Make a link of each literal that is the name of something documented."""

    default_priority = 5  # before references are resolved

    def run(self):
        """Look at the literals of a page."""
        known = self.env.domains["py"].objects
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext()
            found = known.get(name) or known.get(f"focalcore.{name}")
            if found and found.docname != self.env.docname and not is_apart(literal):
                page = self.app.builder.get_relative_uri(self.env.docname, found.docname)
                link = {"internal": True, "refuri": f"{page}#{found.node_id}"}
                literal.replace_self(nodes.reference("", "", literal.deepcopy(), **link))


def is_apart(node):
    """Tell whether a node is part of a link or of a title."""
    while node := node.parent:
        if isinstance(node, APART):
            return True
    return False


def setup(app):
    """Make the transform known."""
    app.add_post_transform(Names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
