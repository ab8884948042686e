"""A file system of its own in a file: small, and to be taken away, filled, frozen or made read-only."""

import fcntl
import glob
import os
import struct
import subprocess
import time

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


class Skipped(Exception):
    """The machine does not allow this fault; the text says why."""


def run(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Skipped(f"{command[0]} is not installed") from error


def need_tracing():
    if run("strace", "-o", "/dev/null", "true").returncode != 0:
        raise Skipped("this machine does not let processes be traced")


class Disk:
    """An ext4 in a file, mounted over a loop device. Needs root."""

    def __init__(self, top, mebibytes=512, options="loop"):
        self.image, self.path = os.path.join(top, "disk.img"), os.path.join(top, "disk")
        self.options = options
        if os.geteuid() != 0:
            raise Skipped("it takes root to mount a file system")
        os.makedirs(self.path, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(mebibytes << 20)
        made = run("mkfs.ext4", "-q", "-F", self.image)
        if made.returncode != 0:
            raise Skipped(made.stderr.strip() or "mkfs.ext4 failed")
        mounted = run("mount", "-o", self.options, self.image, self.path)
        if mounted.returncode != 0:
            raise Skipped(mounted.stderr.strip())
        self.is_frozen = False

    def mount(self):
        mounted = run("mount", "-o", self.options, self.image, self.path)
        if mounted.returncode != 0:
            raise RuntimeError(f"it does not mount again: {mounted.stderr}")

    def unmount(self):
        if self.is_frozen:
            self.thaw()
        for _ in range(100):
            if run("umount", self.path).returncode == 0:
                return
            time.sleep(0.1)
        run("umount", "-l", self.path)

    def cut(self):
        """As when the power fails: what was not synced is gone. Unmount and mount to have power again."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            raise Skipped(f"no power can be cut here: {error}") from error
        finally:
            os.close(descriptor)

    def freeze(self):
        frozen = run("fsfreeze", "-f", self.path)
        if frozen.returncode != 0:
            raise Skipped(frozen.stderr.strip())
        self.is_frozen = True

    def thaw(self):
        run("fsfreeze", "-u", self.path)
        self.is_frozen = False

    def fail(self):
        """The file system finds an error in itself and goes read-only under whoever has files open
        (mounted with errors=remount-ro)."""
        device = run("findmnt", "-n", "-o", "SOURCE", self.path).stdout.strip()
        triggers = glob.glob(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error")
        if not triggers:
            raise Skipped("this kernel has no way to make an ext4 fail")
        with open(triggers[0], "w") as trigger:
            trigger.write("1")

    def repair(self):
        """Unmounts, repairs and mounts again. Who had files open must be gone."""
        self.unmount()
        run("e2fsck", "-fp", self.image)
        self.mount()

    def free(self):
        space = os.statvfs(self.path)
        return space.f_bfree * space.f_frsize

    def fill(self, leave):
        """Takes all but `leave` bytes; 0 also takes what the metadata of another file would need."""
        descriptor = os.open(os.path.join(self.path, "ballast"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while True:
                count = self.free() - leave
                if count <= 0:
                    return
                try:
                    os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, count)
                except OSError:
                    # Less is left than it looks: the last blocks one by one.
                    try:
                        while self.free() > leave:
                            os.write(descriptor, bytes(4096))
                    except OSError:
                        return
        finally:
            os.close(descriptor)

    def empty(self):
        try:
            os.remove(os.path.join(self.path, "ballast"))
        except FileNotFoundError:
            pass
