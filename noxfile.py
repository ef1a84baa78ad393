"""The matrix: `nox` runs everything that this machine can, `nox -l` lists it."""

import os
import pathlib
import shutil
import subprocess
import zipfile

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

# what each session installs beside the core of the tests, and the targets that must then run
BACKENDS = {
    "numpy": ([], "numpy"),
    "fast": (
        [".[fast,dask]", "torch==2.13.0", "imbalanced-losses>=0.6", "nvidia-cuda-nvcc>=13"],
        "numpy,dask,torch",
    ),
    "numpy1": (["numpy==1.26.4", "ml_dtypes<0.6"], "numpy"),
    "strict": (["array-api-strict>=2.4"], "numpy,array-api-strict"),
    "dask": ([".[dask]", "distributed>=2025.1"], "numpy,dask"),
    "torch": (["torch==2.13.0", "imbalanced-losses>=0.6"], "numpy,torch"),
    "jax": ([".[jax]", "optax>=0.2.5"], "numpy,jax"),
    "boosting": ([".[sklearn]", "catboost", "lightgbm>=4.7", "xgboost-cpu>=3.2"], "numpy"),
    "plot": ([".[plot]"], "numpy"),
    "columns": (["pandas>=2.2", "polars>=1.0", "pyarrow>=18", "scikit-learn>=1.5"], "numpy"),
    "cupy": ([".[cupy]"], "numpy,cupy"),
}
ON_CPU = [name for name in BACKENDS if name != "cupy"]
PYTHONS = [v for v in ("3.11", "3.12", "3.13", "3.14") if shutil.which(f"python{v}")]

# where the README's command compiles some cases for all: `tests/slices.py`
WHOLE = {"FOCALCORE_WHOLE": "1"}

ON_GPU = "torch-cuda,jax-cuda,cupy-cuda"

# what runs the pages, and what holds of them
PAGES = ("pages", "recipes", "recipes_jax", "migration")

# whose losses ours are compared with
PEERS = ["fvcore", "kornia", "monai"]

nox.options.sessions = [
    *("lint", "types"),
    *(f"tests({name})" for name in ON_CPU),
    *("keras", "recipes", "pythons", "package", "docs", "conformance"),
]


@nox.session
def lint(session):
    session.install(".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session):
    """The package with the libraries that have types, and what a user writes, by two checkers."""
    session.install(".[lint,cli,dask,jax,keras,plot]", "torch==2.13.0")
    session.run("mypy")
    session.run("mypy", "tests/typed_user.py")
    session.run("pyright", "tests/typed_user.py")


@nox.session
@nox.parametrize("backend", list(BACKENDS), ids=list(BACKENDS))
def tests(session, backend):
    """Each backend alone, so that nothing leans on another one being installed."""
    packages, required = BACKENDS[backend]
    session.install(".[test-core]", *packages)
    run_tests(session, required)


@nox.session
def keras(session):
    """Keras on each of its backends, TensorFlow's tensors, and the example that fits."""
    session.install(".[test-core,keras,jax]", "torch==2.13.0", "tensorflow-cpu>=2.20")
    files = ("tests/test_suites.py", "tests/test_examples.py")
    session.run("pytest", *files, "-k", "keras or tensor", env=WHOLE)


@nox.session
def recipes(session):
    """The programs of the pages, and the rows about other libraries, with all that they name."""
    session.install(".[recipes]", *PEERS)
    # its losses need torch alone; what else it needs is for encoders
    session.install("--no-deps", "segmentation-models-pytorch")
    files = [f"tests/test_{name}.py" for name in PAGES]
    required = ["torch-cpu", "jax-cpu", "dask", "keras", "optax", "imbalanced_losses"]
    required += ["accelerate", "equinox", "flax", "lightning", "transformers"]
    required += [*PEERS, "segmentation_models_pytorch"]
    session.run(
        *("pytest", *files, "-k", "not README", *session.posargs),
        env={"FOCALCORE_REQUIRE": ",".join(required)},
    )


@nox.session(python=PYTHONS)
def pythons(session):
    """Every Python that is here, with the backends that need no build of their own."""
    session.install(".[test-core,dask]", "array-api-strict>=2.4")
    run_tests(session, "numpy,array-api-strict,dask")


@nox.session
def dist(session):
    """The wheel and the source distribution, and whether the wheel has what it should."""
    session.install("hatchling")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "hatchling", "build", "--directory", "dist")
    (wheel,) = pathlib.Path("dist").glob("*.whl")
    packed = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    listed = subprocess.run(["git", "ls-files", "focalcore"], capture_output=True, text=True)
    if packed != set(listed.stdout.split()):
        session.error(f"the wheel differs from focalcore/: {packed ^ set(listed.stdout.split())}")


@nox.session(python=PYTHONS, requires=["dist"], reuse_venv=False)
@nox.parametrize("kind", ["wheel", "sdist"], ids=["wheel", "sdist"])
def package(session, kind):
    """What users install, on every Python that is here, with nothing else present."""
    pattern = {"wheel": "*.whl", "sdist": "*.tar.gz"}[kind]
    (file,) = pathlib.Path("dist").resolve().glob(pattern)
    session.install(str(file))
    session.chdir(session.create_tmp())  # where no folder is called focalcore
    session.run("python", "-c", ALONE)
    session.run("focalcore", "backends")


ALONE = """
import importlib.metadata as metadata, pathlib
import focalcore
names = {d.metadata["Name"].lower() for d in metadata.distributions()}
assert names <= {"focalcore", "numpy", "array-api-compat", "pip", "setuptools", "wheel"}, names
assert "site-packages" in focalcore.__file__, focalcore.__file__
assert focalcore.__version__ == metadata.version("focalcore")
assert pathlib.Path(focalcore.__file__).with_name("py.typed").exists()
value, grad = focalcore.sigmoid_focal_loss_value_and_grad([0.0, 2.0], [1, 0], reduction="mean")
assert abs(value - 0.9117) < 1e-4 and grad.shape == (2,)
"""


@nox.session
def docs(session):
    """The site in `docs/_build/html`: warnings are errors, and every link leads somewhere."""
    session.install(".[docs]")
    built = "docs/_build/html"
    arguments = ("-nW", "--keep-going", "-d", "docs/_build/doctrees")
    session.run("python", "-m", "sphinx", *arguments, "docs", built)
    session.run("python", "docs/links.py", built)
    session.run("pytest", "tests/test_pages.py", "tests/test_project.py", "-k", "not README")


@nox.session
def conformance(session):
    """Every library, type and mode on the CPU against exact values; writes the report."""
    session.install(".[test]")
    arguments = session.posargs or ["--reports", "conformance/reports"]
    required = "numpy,array-api-strict,dask,torch-cpu,jax-cpu"
    session.run("python", "-m", "conformance", *arguments, env={"FOCALCORE_REQUIRE": required})


@nox.session
def exhaustive(session):
    """Every float32 logit by the kernel, and a sample by the libraries' own; writes the reports."""
    session.install(".[test]")
    arguments = session.posargs or ["--reports", "conformance/reports"]
    session.run("python", "-m", "conformance.exhaustive", *arguments)
    if not session.posargs:
        session.run("python", "-m", "conformance.exhaustive", "--ways", *arguments)


@nox.session
def peers(session):
    """Other focal losses on the same numbers; writes the report."""
    session.install(".[test]", *PEERS)
    arguments = session.posargs or ["--reports", "conformance/reports"]
    session.run("python", "-m", "conformance", "--implementation", "all", *arguments)


@nox.session
def benchmarks(session):
    """Time and memory beside what people use; writes the report. Wants a quiet machine."""
    session.install(".[bench]")
    arguments = session.posargs or ["--reports", "benchmarks/reports"]
    session.run("python", "-m", "benchmarks", *arguments)


@nox.session(venv_backend="none")
def gpu(session):
    """The GPU's bits, time and memory, and its targets, on the Python that has the libraries."""
    jobs = ["--jobs", str(min(12, os.cpu_count() or 1))]  # compilers take most of the time
    arguments = ["*-cuda-*", "--name", "gpu", *jobs, "--reports", "conformance/reports"]
    env = {"FOCALCORE_REQUIRE": ON_GPU, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    session.run("python", "-m", "benchmarks.device", *jobs, "--reports", "benchmarks/reports")
    session.run("python", "-m", "conformance", *arguments, *session.posargs, env=env)


def run_tests(session, required):
    session.run("pytest", *session.posargs, env=WHOLE | {"FOCALCORE_REQUIRE": required})
