"""The first file of ours that runs in a box. The import list lies beside it there, under the name `allowed`."""

from __future__ import annotations

from importlib import import_module

from autograder.worker.serve import serve

if __name__ == "__main__":
    serve(import_module("allowed"))
