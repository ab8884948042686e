"""What the disk may hold after a power cut at any moment within a commit. Nothing is cut: the calls by which the
server writes its data file are recorded, and images of the file are built from them as a disk may leave it, with what
was not synced kept, lost or torn between sectors, in any mixture and order."""

import bisect
import collections
import itertools
import math
import os
import re
import subprocess
import time

from served import Server

from .disks import need_tracing
from .files import data_file

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
    # What the images begin with is whole, and synced.
    stage.start()
    stage.expect(stage.server.stop() == 0, "the first stop did not end with 0")
    with open(data_file(stage), "rb") as file:
        base = file.read()
    trace = os.path.join(stage.top, "trace.txt")
    stage.begin(wrapper=f'exec strace -D -f -q -y -v -xx -s 4194304 -o {trace} -e trace={CALLS} -e signal=none "$@"')
    traced = stage.server.process.pid
    stage.run_for(0.7, 1)
    stage.finish()
    if stage.problems:
        return []
    record = Record(ended(trace, traced), data_file(stage), base)
    bench = Bench(stage, record)
    bench.expect_whole_record()
    bench.expect_order()
    for kind, mode in itertools.islice(itertools.cycle(itertools.product(KINDS, MODES)), stage.options.images):
        bench.cut(kind, mode)
    bench.expect_lies_found()
    return [*(f"cuts {kind}" for kind in KINDS), "writes torn", "starts after a cut", "answers after their commit",
            "lies of a disk found", "answers too early found"]


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


class Wrong(Exception):
    """What is wrong with an image."""


class Bench:
    """Puts images into the place of the data file, which stays the same file, and looks at what they are."""

    def __init__(self, stage, record):
        self.stage, self.record = stage, record
        self.log = self.lines()
        self.cuts = 0

    def lines(self):
        try:
            done = subprocess.run(
                [self.stage.binary, "log", "show", "--json", "--payloads", "--data-dir", self.stage.server.directory],
                capture_output=True, timeout=60)
        except subprocess.TimeoutExpired as error:
            raise Wrong("daybook log has no end") from error
        if done.returncode != 0:
            raise Wrong(f"daybook log: {done.returncode} {done.stderr[-500:]}")
        return done.stdout.splitlines()

    def put(self, image):
        with open(self.record.path, "r+b") as file:
            file.write(image)
            file.truncate()

    def expect_whole_record(self):
        """That nothing is missing in it: neither a write, nor an answer that the ledger knows."""
        with open(self.record.path, "rb") as file:
            self.stage.expect(self.record.image(self.record.last, "everything", self.stage.chance)[0] == file.read(),
                              "what was recorded is not what was written")
        told = {answer.position for answer in self.record.answers}
        missing = {told.position for told in self.stage.load.ledger.told} - told
        self.stage.expect(not missing, f"answers that are not in the trace: {sorted(missing)[:9]}")

    def expect_order(self):
        """Each meta page after the sync of its data, and each answer after its commit."""
        self.stage.problems += self.record.disorder()
        highest = 0
        for answer in self.record.answers:
            if answer.position > highest:
                highest = answer.position
                self.put(self.record.image(answer.begin, "nothing", self.stage.chance)[0])
                found = len(self.lines())
                self.stage.expect(found >= highest, f"{highest} was told when the log would have ended at {found}")
                self.stage.met["answers after their commit"] += 1

    def cut(self, kind, mode):
        moment = self.stage.chance.choice(self.record.moments[kind])
        image, torn_writes = self.record.image(moment, mode, self.stage.chance)
        self.cuts += 1
        self.stage.met[f"cuts {kind}"] += 1
        self.stage.met["writes torn"] += torn_writes
        # Each fifth, so that every kind and every mode has its turn.
        wrong = self.wrong_with(image, self.record.told_by(moment), starts=self.cuts % 5 == 0)
        if wrong:
            kept = os.path.join(self.stage.top, f"image-{self.cuts}.mdb")
            with open(kept, "wb") as file:
                file.write(image)
            self.stage.problems.append(f"cut at moment {moment} of {self.record.last}, {kind}, with {mode} of what was "
                                       f"not synced: {wrong} ({kept} with --keep)")

    def wrong_with(self, image, told, starts=False):
        """What is wrong with an image, where positions up to `told` were told to somebody; None where nothing is."""
        self.put(image)
        try:
            lines = self.lines()
            if len(lines) < told:
                raise Wrong(f"{told} was told, and the log ends at {len(lines)}")
            if lines != self.log[:len(lines)]:
                raise Wrong("the log is not the beginning of what was written")
            self.check()
            if starts:
                self.go_on(lines)
                self.stage.met["starts after a cut"] += 1
        except Wrong as wrong:
            return str(wrong)
        return None

    def check(self):
        found = self.stage.found_by_check()
        if found:
            raise Wrong(found)

    def go_on(self, before):
        """A server begins with the image, fires what is due, takes commands and stops."""
        server = Server(self.stage.binary, self.stage.server.directory, "--log-level", "notice")
        server.log = os.path.join(self.stage.top, "image.txt")
        try:
            if server.start() is None:
                raise Wrong(f"no start on it: {server.process.returncode} {server.said()[-500:]}")
            workflow = self.command(
                server, "/workflows", {"name": "after", "definition": {"executor": {"type": "echo"}}})
            for _ in range(3):
                self.command(server, f"/workflows/{workflow['id']}/execute", {"run_input": "x" * 3000})
            code = server.stop()
            if code != 0:
                raise Wrong(f"a server on it ended with {code}: {server.said()[-500:]}")
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            raise Wrong(f"a server on it: {error!r} {server.said()[-500:]}") from error
        finally:
            if server.process.poll() is None:
                server.kill()
        after = self.lines()
        if after[:len(before)] != before or len(after) < len(before) + 4:
            raise Wrong("a server on it did not go on with its log")
        self.check()

    def command(self, server, path, body):
        status, answer = server.ask("POST", path, body, key=server.key)
        if status >= 300:
            raise Wrong(f"a server on it answered {path} with {status} {answer}")
        return answer

    def expect_lies_found(self):
        """The smallest lies: a meta page whose data lacks one write, and an answer that leaves before its meta page."""
        metas = [write for write in self.record.writes if write.is_synced]
        for meta in self.stage.chance.sample(metas, min(6, len(metas))):
            data = self.record.data_of(meta)
            if data:
                image, _ = self.record.image(
                    meta.end, "everything", self.stage.chance, without=self.stage.chance.choice(data))
                found = self.wrong_with(image, self.record.told_by(meta.end))
                self.stage.met["lies of a disk found"] += found is not None
            told = self.record.told_after(meta)
            if told:
                image, _ = self.record.image(meta.begin, "nothing", self.stage.chance)
                self.stage.met["answers too early found"] += self.wrong_with(image, told) is not None


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
        self.base = base
        self.path, self.writes, self.answers, self.syncs = path, [], [], []
        # By descriptor: whether each write is synced, where the next one goes, and what of an answer has left.
        self.is_synced, self.place, self.heads = {}, {}, collections.defaultdict(bytes)
        for begin, end, text in calls(lines):
            self.take(begin, end, text)
        self.writes.sort(key=lambda write: write.begin)
        self.last = 2 * len(lines)
        self.answers.sort(key=lambda answer: answer.begin)
        # The most that anybody was told by then.
        self.told = list(itertools.accumulate((answer.position for answer in self.answers), max))
        self.make_durable()
        self.moments = collections.defaultdict(list)
        self.sort_moments()

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
            self.take_answers(path, begin, b"".join(map(bytes_of, strings(text))))

    def take_answers(self, socket, begin, data):
        """An answer counts from its last byte on; its head may leave in pieces, and several at once."""
        head = self.heads[socket] + data
        for told in re.finditer(rb"\r\ndaybook-position: *(\d+)\r\n", head, re.IGNORECASE):
            self.answers.append(Answer(begin, int(told[1])))
        # What may be the beginning of another.
        self.heads[socket] = head[max(head.rfind(b"\r\n"), 0):][-100:]

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

    def disorder(self):
        """Meta pages that were written before their data was synced."""
        for meta in self.writes:
            if meta.is_synced and any(write.durable > meta.begin for write in self.data_of(meta)):
                yield f"the meta page at moment {meta.begin} was written before its data was synced"

    def data_of(self, meta):
        """The writes of its commit: those since the last meta page."""
        before = max((write.begin for write in self.writes if write.is_synced and write.begin < meta.begin), default=-1)
        return [write for write in self.writes if not write.is_synced and before < write.begin < meta.begin]

    def told_after(self, meta):
        """The first position told after its commit that is not told before; None where there is none."""
        highest = self.told_by(meta.end)
        later = [answer.position for answer in self.answers if answer.begin > meta.end and answer.position > highest]
        return later[0] if later else None

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
        return self.told[number - 1] if number else 0

    def image(self, moment, mode, chance, without=None):
        """The file after a cut at that moment, without one of its writes, and how many are in it in part."""
        data, torn_writes = bytearray(self.base), 0
        for write in self.writes:
            if write.begin > moment:
                break
            if write is without:
                continue
            count = (len(write.data) + SECTOR - 1) // SECTOR
            if write.durable <= moment:
                kept = range(count)
            else:
                kept = kept_sectors(count, mode, chance)
                torn_writes += 0 < len(kept) < count
            if len(kept) == count:
                # In one piece.
                kept, size = (0,), len(write.data)
            else:
                size = SECTOR
            for sector in kept:
                part = write.data[sector * SECTOR:sector * SECTOR + size]
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
