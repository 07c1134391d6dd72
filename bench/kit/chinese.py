"""Cells of the benchmarks' tables in Chinese. What is no word, such as a program's name, stays as it is."""

from __future__ import annotations

import re

CELLS = {
    "processor": "处理器",
    "memory": "内存",
    "kernel": "内核",
    "gateway, jobs": "gateway，按任务",
    "Flask, same work": "Flask，同样的工作",
    "gateway, method 4": "gateway，method 4",
    "gateway, method 6": "gateway，method 6",
    "gateway, method auto": "gateway，method auto",
    "gateway, quality=80": "gateway，quality=80",
    "gateway, quality=auto": "gateway，quality=auto",
    "bare loop": "裸循环",
    "bare loop, heap kept": "裸循环，保留堆",
    "bare loop, huge pages": "裸循环，大页",
    "bare loop, one process": "裸循环，单进程",
    "libwebp alone, decoded before": "只有 libwebp，事先解码",
    "workers": "工作进程",
    "requests/s": "每秒请求",
    "p99 ms": "p99 毫秒",
    "requests/s, encoders busy": "每秒请求，编码器满载",
    "p99 ms, encoders busy": "p99 毫秒，编码器满载",
    "memory MiB": "内存 MiB",
    "3 workers of kind": "3 个工作进程，种类",
    "waiting 50 ms: requests/s": "等待 50 毫秒：每秒请求",
    "computing: requests/s": "计算：每秒请求",
    "a light request while others compute: p99 ms": "其他请求计算时的轻量请求：p99 毫秒",
    "gthread, 8 threads": "gthread，8 个线程",
    "5 workers": "5 个工作进程",
    "until the first answer, s": "到第一个应答，秒",
    "each loads the application": "各自加载应用",
    "a 20 kB answer from": "20 kB 的应答来自",
    "answers/s": "每秒应答",
    "a dictionary with times in the worker (no HTTP)": "工作进程内带时限的字典（无 HTTP）",
    "Redis, one client (no HTTP)": "Redis，一个客户端（无 HTTP）",
    "the gateway, from the store": "网关，从存储读取",
    "nginx, not cached (a request with a key)": "nginx，未缓存（带密钥的请求）",
    "nginx, cached, confirmed each second": "nginx，已缓存，每秒确认",
    "8 idle workers": "8 个空闲的工作进程",
    "new connections/s": "每秒新连接",
    "wake-ups a connection": "每个连接的唤醒数",
    "busiest worker's share": "最忙进程所占比例",
    "one listener for all": "全部共用一个监听套接字",
    "a listener each (reuse_port)": "每个进程一个监听套接字（reuse_port）",
}
CORES = re.compile(r", (\d+) cores$")


def in_chinese(table: str) -> str:
    """A Markdown table with the cells that are known."""
    return re.sub(r"(?<=\| )[^|\n]+(?= \|)", lambda cell: CELLS.get(cell[0]) or CORES.sub(r"，\1 个核心", cell[0]), table)
