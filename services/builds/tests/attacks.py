"""What a stranger's code may try, as scripts for a sandbox's shell, and what must come of it."""

from typing import Any

from builds.sandbox.types import Job, Limits

LIMITS = Limits(
    wall_s=4.0,
    memory_bytes=128 << 20,
    processes=32,
    cpus=2.0,
    scratch_bytes=4 << 20,
    output_bytes=16 << 20,
    log_bytes=64 << 10,
    files=2000,
)

_MANY = "i=0; while : > {folder}/$i; do i=$((i+1)); done; exit 1"

EXCESSES = {
    "a loop without end": ("while :; do :; done", "BUILD_TIMEOUT"),
    "deaf": ("trap '' TERM INT HUP; while :; do sleep 1; done", "BUILD_TIMEOUT"),
    "a daemon that keeps the pipes": ("setsid sleep 60 & exec sleep 60", "BUILD_TIMEOUT"),
    "memory": ("a=x; while :; do a=$a$a$a$a; done", "MEMORY_LIMIT"),
    "a fork bomb": ("f() { f | f & }; f; sleep 1; exit 1", "PROCESS_LIMIT"),
    "the scratch disk": ("dd if=/dev/zero of=/tmp/x bs=1M count=200", "DISK_LIMIT"),
    "the output disk": (
        "mkdir /o/o; for i in 1 2 3; do yes | head -c 9000000 >/o/o/$i; done; exit 1",
        "DISK_LIMIT",
    ),
    "a file with a hole": (
        "dd if=/dev/zero of=/o/x bs=1 count=1 seek=100G",
        "DISK_LIMIT",
    ),
    "files in the scratch disk": (_MANY.format(folder="$TMPDIR"), "FILE_LIMIT"),
    "files in the output": (_MANY.format(folder="/o"), "FILE_LIMIT"),
    "a flood of the log": ("while :; do echo flood; done", "LOG_LIMIT"),
}
"""Scripts that want too much, and the class that they end with."""

REFUSED = (
    "wget -T 1 http://127.0.0.1:1/",
    "cat /etc/passwd",
    "cat /etc/shadow",
    "cat /root/.ssh/id_rsa",
    "ls /home/*",
    "ls /var/run/docker.sock",
    "ls /run/secrets/*",
    "head -c 1 /proc/kcore | grep .",
    "cat /proc/kallsyms | grep .",
    "echo x > /t/x",
    "echo x > /x",
    "echo x > /dev/x",
    "mount -t tmpfs none /tmp",
    "unshare -U true",
    "unshare -Ur true",
    "chroot / true",
    "mknod /tmp/x c 1 1",
    "mknod /tmp/x b 8 0",
    "nsenter -t 1 -m true",
    "ln -s /etc /o/x",
    "ln /t/busybox /o/x",
    "echo core > /proc/sys/kernel/core_pattern",
    "echo b > /proc/sysrq-trigger",
    "nc -l -p 99",
)
"""Scripts that want what is not theirs."""

LOOKS = "cat /proc/*/environ /proc/*/cmdline; env; ls -R / 2>/dev/null | head -n 300"
"""A script that looks around."""


def shell(script: str, **more: Any) -> Job:
    """A job that runs a script."""
    return Job(command=("/t/busybox", "sh", "-c", script), mounts=(), folder="/tmp", **more)  # noqa: S108 - the sandbox's own
