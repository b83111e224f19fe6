from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import typer

from farm.cli.errors import ends_well, line
from farm.cli.verbs import VERBS, load
from farm.words.errors import DistrenError, Unauthenticated, codes
from tests.cli.conftest import Run


def _options(name: str) -> set[str]:
    command = load(name)
    inner = getattr(command, "commands", {}).values() or [command]
    return {option for one in inner for parameter in one.params for option in parameter.opts}


def test_the_help_names_every_verb(run: Run) -> None:
    help_text = run("--help").stdout
    assert [verb for verb in VERBS if f" {verb} " not in help_text] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_speaks_json(run: Run, verb: str) -> None:
    assert run(verb, "--help").exit_code == 0
    assert "--json" in _options(verb)


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_takes_a_passphrase_or_password_as_an_option(verb: str) -> None:
    assert not _options(verb) & {"--passphrase", "--password", "--token"}


def test_the_help_comes_without_loading_client_or_server() -> None:
    code = (
        "import sys; from farm.cli.main import app; from typer.testing import CliRunner;"
        "CliRunner().invoke(app, ['--help']);"
        "print([m for m in ('httpx', 'pydantic', 'fastapi', 'sqlalchemy', 'structlog') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_client_verbs_load_without_the_servers_packages() -> None:
    code = (
        "import sys; from farm.cli.verbs import VERBS, load; [load(v) for v in VERBS];"
        "print([m for m in ('fastapi', 'sqlalchemy', 'sqlmodel', 'uvicorn', 'argon2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_verb_is_a_usage_error(run: Run) -> None:
    result = run("sumbit")
    assert result.exit_code == 2
    assert "submit" in result.stderr


def test_without_a_server_the_error_is_one_line_with_the_way_out(run: Run) -> None:
    result = run("jobs")
    assert result.exit_code == 8
    assert result.stdout == ""
    assert result.stderr == (
        "No server is known here — `distren servers` looks for one; then `distren login --server URL`. "
        "Or try `distren demo` first.\n"
    )


def test_with_json_the_error_is_the_problem(run: Run) -> None:
    problem = json.loads(run("jobs", "--json").stderr)
    assert problem["code"] == "setup"
    assert problem["hint"]


def test_a_server_that_does_not_answer_is_exit_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTREN_TOKEN", "x")
    result = run("jobs", "--server", "http://127.0.0.1:9")
    assert result.exit_code == 3
    assert "No answer from http://127.0.0.1:9" in result.stderr


@pytest.mark.parametrize("text", ["ftp://farm", "http://", "http://farm:99999", "http://farm:port"])
def test_what_is_no_address_is_refused(run: Run, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTREN_TOKEN", "x")
    result = run("jobs", "--server", text)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("text", ["twelve", "12/3/4", "-1", "12/", "distren://home"])
def test_what_is_no_job_is_refused(run: Run, text: str) -> None:
    assert run("show", "--server", "http://127.0.0.1:9", "--", text).exit_code == 2


def test_ctrl_c_ends_with_130_and_no_traceback() -> None:
    with pytest.raises(typer.Exit) as ended, ends_well(SimpleNamespace(meta={})):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130


def test_every_error_has_an_exit_code_that_the_help_documents(run: Run) -> None:
    assert {kind.exit_code for kind in codes().values()} == {1, 2, 3, 4, 5, 6, 7, 8}


def test_an_error_is_one_line_even_if_its_message_has_several() -> None:
    assert line(DistrenError("First.\nSecond.", hint="Do this.")) == "First. Second — Do this."


def test_who_is_not_logged_in_is_told_to_log_in() -> None:
    assert line(Unauthenticated()).endswith("Run `distren login`.")
