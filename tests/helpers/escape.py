# SPDX-License-Identifier: Apache-2.0
# escape.py NAME [ARGUMENT...]: one attempt to get out, or at what is outside. Prints "escaped" and
# ends with status 0 when it worked; else what stood in its way, and status 1.
import ctypes
import errno
import fcntl
import glob
import os
import platform
import signal
import socket
import struct
import sys
import termios
import time

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, NEWPID, NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_SHARED = (
    1, 32, 4096, 8192, 16384, 1 << 18, 1 << 20)
ARM = platform.machine() == "aarch64"


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def text(value):
    return value.encode() if value is not None else None


def mount(source, target, kind, flags, data=None):
    check(libc.mount(text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data)))


def read(path, size=4096):
    with open(path, "rb") as file:
        return file.read(size)


def write(path, data):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


# A user namespace of the job's own, in which it is root with every capability.
def nest(flags=NEWNS):
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(NEWUSER | flags))
    write("/proc/self/setgroups", b"deny")
    write("/proc/self/uid_map", b"0 %d 1" % uid)
    write("/proc/self/gid_map", b"0 %d 1" % gid)


# What follows "nested" is tried there.
def nested(name, *rest):
    nest()
    return attempts[name](*rest)


# --- processes --------------------------------------------------------------------------------------


def kill(pid):
    os.kill(int(pid), signal.SIGUSR1)


def memory(pid, address):  # process_vm_readv(2)
    room = ctypes.create_string_buffer(8)
    local = struct.pack("PN", ctypes.addressof(room), 8)
    remote = struct.pack("PN", int(address, 0), 8)
    check(libc.process_vm_readv(int(pid), local, 1, remote, 1, 0))
    return room.raw == b"bryo-mem"


def memory_file(pid, address):
    fd = os.open("/proc/%s/mem" % pid, os.O_RDONLY)
    return os.pread(fd, 8, int(address, 0)) == b"bryo-mem"


def attach(pid):
    check(libc.ptrace(0x4206, int(pid), None, None))  # PTRACE_SEIZE


def proc_file(pid, name):
    return len(read("/proc/%s/%s" % (pid, name))) > 0


def proc_dir(pid, name):
    return len(os.listdir("/proc/%s/%s" % (pid, name))) > 0


def proc_link(pid, name):
    return os.readlink("/proc/%s/%s" % (pid, name)) != ""


def join(pid, kind):
    fd = os.open("/proc/%s/ns/%s" % (pid, kind), os.O_RDONLY)
    check(libc.setns(fd, 0))


def pidfd(pid):
    check(libc.syscall(434, int(pid), 0))


def exe_write(pid):  # CVE-2019-5736
    os.chmod("/proc/%s/exe" % pid, 0o755)


# A user namespace below, with ids of the caller's own choice in its map.
def map_ids(first, count):
    go, done = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            check(libc.unshare(NEWUSER))
        finally:
            os.write(done[1], b"x")
            os.read(go[0], 1)
            os._exit(0)
    os.read(done[0], 1)
    try:
        write("/proc/%d/uid_map" % pid, b"0 %d %d" % (int(first), int(count)))
    finally:
        os.write(go[1], b"x")
        os.waitpid(pid, 0)


def remap(pid):  # a second map for a namespace that has one
    write("/proc/%s/uid_map" % pid, b"0 0 4294967295")


def see(word):  # in anything that /proc tells of processes
    for path in glob.glob("/proc/[0-9]*/*"):
        if path.split("/")[2] == str(os.getpid()):
            continue  # its own arguments have the word
        if os.path.basename(path) in ("environ", "cmdline", "mountinfo", "mounts", "stat", "maps"):
            try:
                if word.encode() in read(path, 1 << 20):
                    return True
            except OSError:
                pass
    raise OSError(errno.ENOENT, "nowhere to be seen")


# --- the kernel -------------------------------------------------------------------------------------


def setting(path, value=None):  # writes to a file what it holds, or value
    write(path, value.encode() if value else read(path).rstrip(b"\n"))


# An account's list of keys can be empty: whoever reads it gets one of its own first, where it may
# (add_key(2), into the keyring of the process).
def own_key():
    libc.syscall(217 if ARM else 248, b"user", b"escape", b"x", ctypes.c_size_t(1), ctypes.c_int(-2))


def readable(path):
    if path == "/proc/keys":
        own_key()
    if os.path.isdir(path):
        return len(os.listdir(path)) > 0
    return len(read(path, 64)) > 0


def device(major, minor):
    path = "/tmp/escape-node"
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    os.mknod(path, 0o600 | 0o020000, os.makedev(int(major), int(minor)))
    # --fake-root makes an empty file that says it is a device: nothing is behind it.
    return len(os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 16)) > 0


def key(word):
    check(libc.syscall(219 if ARM else 250, 10, -3, b"user", word.encode(), 0))  # KEYCTL_SEARCH


def type_char(fd):  # TIOCSTI
    fcntl.ioctl(int(fd), termios.TIOCSTI, b"x")


def make_userns():
    nest(0)


def chroot_out(path):  # chroot(2), "A superuser": leaves a root that is a chroot
    fd = os.open("/", os.O_RDONLY)
    os.makedirs("/tmp/escape-root", exist_ok=True)
    os.chroot("/tmp/escape-root")
    os.fchdir(fd)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    return os.path.exists(path)


# --- mounts -----------------------------------------------------------------------------------------


def new_mount(target="/mnt"):
    mount("none", target, "tmpfs", 0)


def unmount(target):
    check(libc.umount2(text(target), 2))


def move(source):
    os.makedirs("/tmp/escape-moved", exist_ok=True)
    if not os.path.isdir(source):
        os.close(os.open("/tmp/escape-file", os.O_CREAT | os.O_WRONLY))
    mount(source, "/tmp/escape-moved" if os.path.isdir(source) else "/tmp/escape-file", None, MS_MOVE)


# Another way to the same files, without what is mounted on them.
def bind_below(directory, name):
    os.makedirs("/tmp/escape-bind", exist_ok=True)
    mount(directory, "/tmp/escape-bind", None, MS_BIND)
    return readable("/tmp/escape-bind/" + name)


# nosuid, nodev and noexec stay: the kernel locks those of a mount on their own.
def make_rw(target):
    mount(None, target, None, MS_REMOUNT | MS_BIND | os.statvfs(target).f_flag & 0b1110)


def remount_rw(target, probe):
    make_rw(target)
    write(probe, read(probe).rstrip(b"\n"))


def bind_rw(directory, probe):
    os.makedirs("/tmp/escape-bind", exist_ok=True)
    mount(directory, "/tmp/escape-bind", None, MS_BIND)
    make_rw("/tmp/escape-bind")
    path = "/tmp/escape-bind/" + probe
    write(path, read(path).rstrip(b"\n"))


def cgroup_v1():  # release_agent
    os.makedirs("/tmp/escape-cgroup", exist_ok=True)
    # one without a controller: those of the kernel's may be in use elsewhere, or built without
    mount("none", "/tmp/escape-cgroup", "cgroup", 0, "none,name=bryo-escape")
    setting("/tmp/escape-cgroup/release_agent", "/bin/true")


# A fresh /proc, of a PID namespace of one's own, over the one that is masked.
def fresh_proc(name, *rest):
    check(libc.unshare(NEWPID))
    pid = os.fork()
    if pid:
        sys.stdout.flush()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    mount("proc", "/proc", "proc", 0)
    return attempts[name](*rest)


def host_file(path):
    return readable(path)


def open_device(path):
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


# --- what is shared -----------------------------------------------------------------------------------


def shm(number):
    libc.shmat.restype = ctypes.c_void_p
    if libc.shmat(int(number), None, 0o10000) == ctypes.c_void_p(-1).value:
        check(-1)


def queue(name):
    check(libc.mq_open(name.encode(), os.O_RDONLY))


def tcp(host, port):
    socket.create_connection((host, int(port)), 3)


def abstract(name):
    socket.socket(socket.AF_UNIX).connect("\0" + name)


def path_socket(path):
    socket.socket(socket.AF_UNIX).connect(path)


def descriptor(number):
    return os.read(int(number), 64) != b""


def variable(name):
    return bool(os.environ.get(name)) or see(name)


def daemon(path):  # outlives whoever started it
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(2)
            open(path, "w").close()
        os._exit(0)
    os.wait()


# --- bombs --------------------------------------------------------------------------------------------


def forks(limit):
    n = 0
    try:
        while n < int(limit):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            n += 1
    except OSError:
        pass
    os.kill(0, signal.SIGTERM) if n < 0 else None
    if n < int(limit):
        raise OSError(errno.EAGAIN, "only %d" % n)


def files(limit):
    n = 0
    try:
        while n < int(limit):
            os.dup(0)
            n += 1
    except OSError:
        raise OSError(errno.EMFILE, "only %d" % n)


def fill(directory, mib):
    with open(directory + "/escape-fill", "wb") as file:
        for _ in range(int(mib)):
            file.write(b"x" * (1 << 20))
        file.flush()


def inodes(directory, count):
    for i in range(int(count)):
        os.close(os.open("%s/escape-%d" % (directory, i), os.O_CREAT | os.O_WRONLY))


def allocate(mib):
    return len(bytearray(int(mib) << 20)) > 0


attempts = {name: value for name, value in globals().items() if callable(value)}

if __name__ == "__main__":
    try:
        worked = attempts[sys.argv[1]](*sys.argv[2:])
    except (OSError, MemoryError) as problem:
        print("stopped:", problem)
        sys.exit(1)
    if worked is False:
        print("stopped: nothing there")
        sys.exit(1)
    print("escaped")
