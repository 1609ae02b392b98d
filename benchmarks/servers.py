"""One small WSGI application under every server that is installed, loaded by wrk from another core."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
import sys
import time

SECONDS = 3
APPLICATION = """
BODY = b'{"id":1}' * 16
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]
"""
SERVERS = {
    "granian wsgi": ("granian", "from granian import Granian; import sys, types; m = types.ModuleType('loaded'); exec(APP, m.__dict__); "
                     "Granian('x', port=PORT, interface='wsgi', blocking_threads=8, log_enabled=False)"
                     ".serve(target_loader=lambda *_: m.application, wrap_loader=False)"),
    "waitress": ("waitress", "import waitress; exec(APP); waitress.serve(application, port=PORT, threads=8, _quiet=True)"),
    "cheroot": ("cheroot", "from cheroot.wsgi import Server; exec(APP); Server(('127.0.0.1', PORT), application, numthreads=8).start()"),
    "werkzeug": ("werkzeug", "from werkzeug.serving import run_simple, WSGIRequestHandler as H; H.protocol_version = 'HTTP/1.1'; "
                 "H.log_request = lambda *_: None; exec(APP); run_simple('127.0.0.1', PORT, application, threaded=True)"),
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def requests_per_second(code: str) -> float | None:
    """What wrk counts; None when the server does not come up."""
    port = free_port()
    pinned = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    script = f"APP = {APPLICATION!r}; PORT = {port}; {code}"
    server = subprocess.Popen([*pinned, sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            return None
        load = ["taskset", "-c", "1"] if pinned else []
        command = [*load, "wrk", "-t1", "-c8", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS + 30).stdout
        found = re.search(r"Requests/sec:\s+([\d.]+)", told)
        return float(found[1]) if found else None
    finally:
        server.terminate()
        server.wait(10)


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed")
    for name, (module, code) in SERVERS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name:<14} not installed")
            continue
        figure = requests_per_second(code)
        print(f"{name:<14} {figure:>9.0f} req/s" if figure else f"{name:<14} did not start")


if __name__ == "__main__":
    main()
