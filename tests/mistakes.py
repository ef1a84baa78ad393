"""Formulas with one thing wrong, which the exact values must notice.

All that the tests know of the inside of the formulas is here, a line for each mistake: where it is
made, the name there, and what becomes of it.
"""

from focalcore import _recall
from focalcore._formulas import focal, probability, sigmoid, softmax
from focalcore._kernels.host import kernel, plan


def giving(change):
    """A function that gives something else than before."""
    return lambda f: lambda *arguments: change(f(*arguments))


def then(change):
    """A constructor after which something is changed in what it has made."""

    def another(init):
        def made(self, *arguments, **more):
            init(self, *arguments, **more)
            change(self, *arguments)

        return made

    return another


def with_u(formula, u):
    """A constructor of products, in which one formula has another u, which stands for 1 - p_t."""

    def another(init):
        def made(self, xp, given, ce, *rest, **more):
            given = u(xp, given, ce) if isinstance(self, formula) else given
            init(self, xp, given, ce, *rest, **more)

        return made

    return another


def beside(f):
    """No mistake: a function is called wherever a sigmoid is computed."""
    return *SIGMOID, then(lambda _, xp, x: f(xp, x))


def alpha_of_positives(balance, target):
    return balance and target.y * 0 + balance[0]


def logarithm_of_a_sum(self, xp, x):
    self.ce = xp.log(1 + xp.exp(x))


def more_of_the_others(self, *_):
    self.E = self.E * (1 + 1e-5)


def larger_gamma(power):
    return lambda xp, u, gamma: power(xp, u, gamma * (1 + 1e-6))


def u_and_eps(xp, u, _):
    return u + xp.finfo(u.dtype).eps


def one_side(xp, x):
    return sigmoid.FavouredClass(x == x, x, xp.exp(-x), None)


PRODUCT = focal.Product, "__init__"
SIGMOID = sigmoid.MarginOdds, "__init__"


# fmt: off
def of_either(formula):
    """Mistakes in the formula of a sigmoid: that of hard targets, or that of soft ones."""
    return {
        "a sign is flipped": (formula, "first_derivatives", giving(lambda r: (r[0], -r[1]))),
        "1 - p_t is 1 - exp(-ce)": (*PRODUCT, with_u(formula, lambda xp, _, ce: 1 - xp.exp(-ce))),
        "1 - p_t is a difference": (*PRODUCT, with_u(formula, lambda _xp, u, _: 1 - (1 - u))),
        "the odds do not bend": (formula, "second_derivatives", giving(lambda b: (0 * b[0], b[1]))),
    }


MISTAKES = {
    **{f"{what} (hard targets)": how for what, how in of_either(sigmoid.FromMargin).items()},
    **{f"{what} (soft targets)": how for what, how in of_either(sigmoid.Expected).items()},
    "the exponential overflows (hard targets)": (*SIGMOID, then(logarithm_of_a_sum)),
    "the exponential overflows (soft targets)": (sigmoid, "favoured_class", lambda _: one_side),
    "a small curvature is 0": (focal.Product, "curvature", giving(lambda c: c * (abs(c) > 1e-20))),
    "gamma is a millionth too large": (focal, "power", larger_gamma),
    "negatives weigh alpha too": (focal, "alpha_t", lambda _: alpha_of_positives),
    "the rest counts 1e-5 too much": (softmax.OneVsRest, "__init__", then(more_of_the_others)),
    "a rounding is not made good": (softmax, "rounding", lambda _: lambda _xp, a, b: 0 * (a + b)),
    "eps enters 1 - p_t": (*PRODUCT, with_u(probability.Expected, u_and_eps)),
    "an infinite logit has no limit": (focal, "safe_multiply", lambda _: lambda _xp, a, x: a * x),
}
# fmt: on


def make(monkeypatch, owner, name, change):
    """Make a mistake, until monkeypatch takes it back, in kernels of its own."""
    monkeypatch.setattr(owner, name, change(getattr(owner, name)))
    for module, known in ((kernel, "_KERNELS"), (plan, "_PLANS"), (_recall, "_CALLS")):
        monkeypatch.setattr(module, known, {})
