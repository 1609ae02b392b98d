"""What starting a double imports: what most doubles never use is imported when it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LATE = (
    "cryptography", "defusedxml", "faker", "flask", "fpdf", "http.client", "importlib.metadata", "jinja2",
    "jsonpath_rfc9535", "jwt", "multipart", "requests", "urllib3", "werkzeug", "yaml",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """The modules that are loaded by the command line itself, and by what ``apidouble serve`` needs."""
    code = (
        "import json, sys\n"
        "import mock_server.cli; cli = sorted(sys.modules)\n"
        "import mock_server.commands.serve; serve = sorted(sys.modules)\n"
        "print(json.dumps({'cli': cli, 'serve': serve}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, list[str]] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize("name", LATE)
def test_serving_does_not_wait_for_what_few_doubles_use(name: str, loaded: dict[str, list[str]]) -> None:
    assert name not in loaded["serve"]


@pytest.mark.parametrize("name", ["mock_server.sandbox", "mock_server.commands.lint", "granian", "jsonschema_rs"])
def test_command_line_imports_a_command_when_it_is_called(name: str, loaded: dict[str, list[str]]) -> None:
    assert name not in loaded["cli"]


def test_flask_is_made_for_the_first_request_that_is_its_own() -> None:
    code = (
        "import sys\n"
        "from mock_server.packs import source_of\n"
        "from mock_server.sandbox import Sandbox\n"
        "from mock_server.web.late import late_application\n"
        "application = late_application(Sandbox([source_of('cloudvelous-ai')]), control_token=None)\n"
        "for path in ('/health', '/__mock__/apis', '/nowhere'):\n"
        "    environ = {'REQUEST_METHOD': 'GET', 'PATH_INFO': path, 'QUERY_STRING': '', 'SERVER_NAME': 'x',\n"
        "               'SERVER_PORT': '80', 'wsgi.url_scheme': 'http', 'wsgi.input': sys.stdin.buffer}\n"
        "    b''.join(application(environ, lambda status, headers, *_: print(path, status[:3], end=' ')))\n"
        "    print('flask' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    [health, control, nowhere] = told.stdout.splitlines()
    assert health.endswith(" False")
    assert control == "/__mock__/apis 200 True"
    assert nowhere.startswith("/nowhere 404")
