"""What the disk may hold after a power cut at any moment within a commit. Nothing is cut: the calls by which the
server writes its data file are recorded, and images of the file are built from them as a disk may leave it, with what
was not synced kept, lost or torn between sectors, in any mixture and order."""

import bisect
import collections
import json
import math
import os
import re
import shutil
import subprocess
import time

from served import Server

from .disks import need_tracing

CALLS = "openat,lseek,pwrite64,pwritev,writev,write,sendto,sendmsg,ftruncate,fdatasync,fsync"
# A disk writes a sector whole or not at all.
SECTOR = 512
KINDS = ("within the data", "between data and meta page", "between commits")
# What of the writes that were not synced is there afterwards.
MODES = ("nothing", "everything", "whole writes", "sectors")


def torn(stage):
    """power cuts at every kind of moment within a commit: what was not synced is kept, lost or torn"""
    need_tracing()
    stage.prepare()
    directory, base = stage.server.directory, os.path.join(stage.top, "base")
    # What the images begin with is whole, and synced.
    stage.start()
    stage.expect(stage.server.stop() == 0, "the first stop did not end with 0")
    shutil.copytree(directory, base)
    trace = os.path.join(stage.top, "trace.txt")
    stage.begin(wrapper=f'exec strace -D -f -q -y -v -xx -s 4194304 -o {trace} -e trace={CALLS} -e signal=none "$@"')
    traced = stage.server.process.pid
    stage.run_for(0.7, 1)
    stage.finish()
    if stage.problems:
        return []
    record = Record(ended(trace, traced), os.path.join(directory, "db", "data.mdb"),
                    os.path.join(base, "db", "data.mdb"))
    log = shown(stage.binary, directory)
    with open(record.path, "rb") as file:
        stage.expect(record.image(record.last, "everything", stage.chance)[0] == file.read(),
                     "what was recorded is not what was written")
    stage.expect(record.answers[-1].position <= len(log), "positions were told that are not in the log")
    for number in range(stage.options.images):
        kind = KINDS[number % len(KINDS)]
        moment, mode = stage.chance.choice(record.moments[kind]), stage.chance.choice(MODES)
        image, torn_writes = record.image(moment, mode, stage.chance)
        problems = judged(stage, base, image, record.told_by(moment), log, starts=number % 6 == 0)
        stage.problems += [f"cut at moment {moment} of {record.last}, {kind}, with {mode} of what was not synced: "
                           f"{problem}" for problem in problems]
        stage.met[f"cuts {kind}"] += 1
        stage.met["writes torn"] += torn_writes
    # The same of a disk that lies about its syncs: some images must be wrong, or the judge sees nothing.
    for kind in KINDS * 2:
        moment = stage.chance.choice(record.moments[kind])
        image, _ = record.image(moment, "whole writes", stage.chance, syncs=False)
        stage.met["lies of a disk found"] += bool(judged(stage, base, image, record.told_by(moment), log))
    return [*(f"cuts {kind}" for kind in KINDS), "writes torn", "lies of a disk found"]


def ended(trace, process):
    """The lines of the trace, once the traced process has come to its end in it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with open(trace) as file:
            lines = file.readlines()
        if any(re.match(rf"{process} +\+\+\+ exited", line) for line in lines[-100:]):
            return lines
        time.sleep(0.2)
    raise AssertionError("the trace has no end")


def shown(binary, directory):
    done = subprocess.run([binary, "log", "show", "--json", "--payloads", "--data-dir", directory],
                          capture_output=True)
    if done.returncode != 0:
        raise ValueError(f"daybook log: {done.returncode} {done.stderr[-500:]}")
    return done.stdout.splitlines()


def judged(stage, base, image, told, log, starts=False):
    """What is wrong with a directory whose data file is the image: positions up to `told` were told to somebody."""
    directory = os.path.join(stage.top, "image")
    shutil.copytree(base, directory)
    try:
        with open(os.path.join(directory, "db", "data.mdb"), "wb") as file:
            file.write(image)
        lines = shown(stage.binary, directory)
        if len(lines) < told:
            return [f"{told} was told, and the log ends at {len(lines)}"]
        if lines != log[:len(lines)]:
            return ["the log is not the beginning of what was written"]
        return list(broken(stage, directory, starts))
    except ValueError as error:
        return [str(error)]
    finally:
        shutil.rmtree(directory)


def broken(stage, directory, starts):
    checked = stage.run_daybook("check", "--json", "--data-dir", directory, "--scratch", stage.top)
    if checked.returncode != 0 or not json.loads(checked.stdout)["ok"]:
        yield f"daybook check: {checked.returncode} {checked.stdout[-500:]} {checked.stderr[-500:]}"
    if starts:
        server = Server(stage.binary, directory, "--log-level", "notice")
        server.log = os.path.join(stage.top, "image.txt")
        if server.start() is None:
            yield f"no start on it: {server.process.returncode} {server.said()[-500:]}"
        elif (code := server.stop()) != 0:
            yield f"a server on it ended with {code}: {server.said()[-500:]}"


class Write:
    """At the moment `begin` it began, at `end` it returned, and from `durable` on it outlives a cut."""

    def __init__(self, begin, end, is_synced, offset, data):
        self.begin, self.end, self.is_synced, self.offset, self.data = begin, end, is_synced, offset, data
        self.durable = end if is_synced else math.inf


class Answer:
    def __init__(self, begin, position):
        self.begin, self.position = begin, position


class Record:
    """How a server wrote its data file, and what it told meanwhile, in the order in which it all happened."""

    def __init__(self, lines, path, base):
        with open(base, "rb") as file:
            self.base = file.read()
        self.path, self.writes, self.answers, self.syncs = path, [], [], []
        self.is_synced, self.place = {}, {}
        for begin, end, text in calls(lines):
            self.take(begin, end, text)
        self.writes.sort(key=lambda write: write.begin)
        self.last = 2 * len(lines)
        self.make_durable()
        self.moments = collections.defaultdict(list)
        self.sort_moments()
        # The most that anybody was told by then.
        self.answers.sort(key=lambda answer: answer.begin)
        for before, answer in zip(self.answers, self.answers[1:]):
            answer.position = max(answer.position, before.position)

    def take(self, begin, end, text):
        found = re.match(r"(\w+)\((?:(\d+)<([^>]*)>)?", text)
        name, descriptor, path = found[1], found[2], bytes_of(found[3] or "").decode()
        # Without a result where the process ended first.
        arguments, result = re.fullmatch(r"(.*?)(?:\) += (-?\d+|\?).*)?", text).groups()
        result = int(result) if result and result != "?" else None
        if name == "openat":
            if self.path.encode() in map(bytes_of, strings(arguments)):
                self.is_synced[str(result)] = "O_DSYNC" in arguments
        elif path == self.path:
            self.take_data(name, descriptor, begin, end, arguments, result)
        elif path.startswith("socket:"):
            told = re.search(rb"\r\ndaybook-position: *(\d+)", b"".join(map(bytes_of, strings(text))), re.IGNORECASE)
            if told:
                self.answers.append(Answer(begin, int(told[1])))

    def take_data(self, name, descriptor, begin, end, arguments, result):
        if name == "lseek":
            self.place[descriptor] = result
        elif name in ("fdatasync", "fsync"):
            if result == 0:
                self.syncs.append((begin, end))
        elif name in ("pwrite64", "pwritev", "writev"):
            data = b"".join(map(bytes_of, strings(arguments)))
            if name == "writev":
                offset = self.place[descriptor]
                self.place[descriptor] += len(data)
            else:
                offset = int(arguments.rsplit(", ", 1)[1])
            if result not in (None, len(data)):
                raise AssertionError(f"{name} of {len(data)} bytes returned {result}")
            self.writes.append(Write(begin, end, self.is_synced[descriptor], offset, data))
        else:
            raise AssertionError(f"{name} of the data file is not part of the model")

    def make_durable(self):
        self.syncs.sort()
        for write in self.writes:
            if not write.is_synced:
                write.durable = min((end for begin, end in self.syncs if begin > write.end), default=math.inf)

    def sort_moments(self):
        """Within a call on the data file, right after one, and right after an answer began to leave."""
        calls = [(write.begin, write.end) for write in self.writes] + self.syncs
        for moment in [moment for call in calls for moment in call] + [answer.begin for answer in self.answers]:
            self.moments[self.kind(moment)].append(moment)

    def kind(self, moment):
        begun = [write for write in self.writes if write.begin <= moment]
        pending = [write for write in begun if write.durable > moment]
        following = self.writes[len(begun)] if len(begun) < len(self.writes) else None
        within, between, outside = KINDS
        if any(not write.is_synced for write in pending):
            return within
        return between if pending or (following and following.is_synced) else outside

    def told_by(self, moment):
        number = bisect.bisect_right(self.answers, moment, key=lambda answer: answer.begin)
        return self.answers[number - 1].position if number else 0

    def image(self, moment, mode, chance, syncs=True):
        """The file after a cut at that moment, and how many writes are in it in part."""
        data, torn_writes = bytearray(self.base), 0
        for write in self.writes:
            if write.begin > moment:
                break
            count = (len(write.data) + SECTOR - 1) // SECTOR
            if syncs and write.durable <= moment:
                kept = range(count)
            else:
                kept = kept_sectors(count, mode, chance)
                torn_writes += 0 < len(kept) < count
            for sector in kept:
                part = write.data[sector * SECTOR:(sector + 1) * SECTOR]
                begin = write.offset + sector * SECTOR
                if begin > len(data):
                    data.extend(bytes(begin - len(data)))
                data[begin:begin + len(part)] = part
        return data, torn_writes


def kept_sectors(count, mode, chance):
    if mode == "sectors":
        return [sector for sector in range(count) if chance.random() < 0.5]
    is_kept = mode == "everything" or (mode == "whole writes" and chance.random() < 0.5)
    return range(count if is_kept else 0)


def calls(lines):
    """Each call with the moments in which it began and returned: two to a line, its beginning and its end."""
    open_calls = {}
    for moment, line in zip(range(0, 2 * len(lines), 2), lines):
        thread, text = line.split(None, 1)
        text = text.rstrip("\n")
        if text.startswith("<... "):
            begin, head = open_calls.pop(thread)
            yield begin, moment + 1, head + text.partition(" resumed>")[2]
        elif text.endswith("<unfinished ...>"):
            open_calls[thread] = (moment, text.removesuffix("<unfinished ...>"))
        elif not text.startswith(("+++", "---")):
            yield moment, moment + 1, text
    for begin, head in open_calls.values():
        yield begin, math.inf, head


def strings(text):
    return re.findall(r'"((?:\\x[0-9a-f]{2})*)"', text)


def bytes_of(text):
    """Of a string in the way of strace -xx."""
    return bytes.fromhex(text.replace("\\x", ""))
