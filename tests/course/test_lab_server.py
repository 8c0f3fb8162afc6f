"""How JupyterLab is started for a learner. That it really starts is in test_packaging."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest

from course.lab_server import SETTINGS, LabOptions, NoJupyterLab, arguments, environment, require_jupyterlab


def test_only_what_was_asked_for_is_passed_on(tmp_path: Path) -> None:
    expected = [f"--ServerApp.root_dir={tmp_path.resolve()}", "--LabApp.default_url=/lab"]

    assert expected == arguments(LabOptions(tmp_path), interactive=True, root=False)


def test_port_address_and_no_browser_are_passed_on(tmp_path: Path) -> None:
    options = LabOptions(tmp_path, port=9000, ip="0.0.0.0", open_browser=False)

    given = arguments(options, interactive=True, root=False)

    assert ["--ServerApp.port=9000", "--ServerApp.ip=0.0.0.0", "--no-browser"] == given[2:]


def test_one_interrupt_is_enough_where_nobody_can_confirm(tmp_path: Path) -> None:
    assert "--ServerApp.answer_yes=True" in arguments(LabOptions(tmp_path), interactive=False, root=False)


def test_root_in_a_container_may_start_it(tmp_path: Path) -> None:
    assert "--allow-root" in arguments(LabOptions(tmp_path), interactive=True, root=True)


def test_the_persons_own_jupyter_settings_still_count() -> None:
    added = environment({"JUPYTER_CONFIG_PATH": "theirs", "JUPYTER_PREFER_ENV_PATH": "0"})

    assert {"JUPYTER_CONFIG_PATH": f"theirs{os.pathsep}{SETTINGS}", "JUPYTER_PREFER_ENV_PATH": "0"} == added


def test_the_kernel_is_this_environments_unless_the_person_says_otherwise() -> None:
    assert "1" == environment({})["JUPYTER_PREFER_ENV_PATH"]


def test_the_settings_are_json_where_jupyter_looks_for_them() -> None:
    page = json.loads((SETTINGS / "labconfig" / "page_config.json").read_text())
    server = json.loads((SETTINGS / "jupyter_server_config.d" / "kafkalite_course.json").read_text())

    assert page["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"]
    assert {False} == set(server["ServerApp"]["jpserver_extensions"].values())


def test_a_missing_jupyterlab_is_named_with_the_command_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(NoJupyterLab, match="pip install kafkalite-course"):
        require_jupyterlab()
