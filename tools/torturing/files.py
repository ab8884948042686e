"""Damage of the data file while nobody uses it, and old copies put in its place."""

import os
import re
import shutil
import subprocess
import time

from served import Server

# A page that is in no use may change without a trace; everything else is to be found.
FOUND = {1, 73}


def filled(stage, *more):
    """A directory with a life behind it, its server stopped."""
    stage.begin(more=more)
    stage.run_for(3)
    stage.finish()


def data_file(stage):
    return os.path.join(stage.server.directory, "db", "data.mdb")


def log_lines(stage):
    """Exit code and lines of `daybook log show`."""
    shown = subprocess.run(
        [stage.binary, "log", "show", "--json", "--payloads", "--data-dir", stage.server.directory],
        capture_output=True)
    return shown.returncode, shown.stdout.splitlines()


def look(stage, what, good):
    """Check and a start on a damaged file: found, refused, or nothing that matters was touched. Never wrong
    data, never an end by a signal without a word."""
    checked = stage.run_daybook(
        "check", "--json", "--data-dir", stage.server.directory, "--scratch", stage.top)
    words = (checked.stdout + checked.stderr)[-300:]
    if stage.expect(checked.returncode in {0} | FOUND, f"{what}: check ended with {checked.returncode}: {words}"):
        stage.met["found by check"] += checked.returncode in FOUND
    code_of_log, lines = log_lines(stage)
    # A line that is cut off by the end of the process is none.
    wrong = [line for line in lines if line not in good and line.endswith(b"}")]
    stage.expect(not wrong, f"{what}: the log says what it never said: {wrong[:1]}")
    if checked.returncode == 0:
        stage.met["no trace"] += 1
        stage.expect(code_of_log == 0 and set(lines) == good,
                     f"{what}: check says that all is well, and the log is another")
    code, text, process = stage.try_second()
    if process is None:
        stage.expect(code == 73, f"{what}: a start ended with {code}: {text[-300:]}")
        stage.met["starts refused"] += code == 73
        return
    stage.met["starts that served"] += 1
    if checked.returncode == 0:
        # What was called well must bear more than being read.
        write_on(stage, what, text)
        process.terminate()
        stage.expect(process.wait(60) == 0, f"{what}: a stop ended with {process.returncode}")
        found = stage.found_by_check()
        stage.expect(found is None, f"{what}: after more was written: {found}")
    else:
        process.kill()
        process.wait()
    after, served = log_lines(stage)
    if code_of_log == 0 and set(lines) == good:
        stage.expect(after == 0 and good <= set(served), f"{what}: a start lost what the log had")


def write_on(stage, what, text):
    """Many small commands, which take pages that count as free."""
    server = Server(stage.binary, stage.server.directory)
    server.port = int(re.search(r"listens on http://\S+:(\d+)", text)[1])
    deadline = time.monotonic() + 30
    # It listens before the first command is taken.
    while server.ask("GET", "/license")[0] != 401 and time.monotonic() < deadline:
        time.sleep(0.02)
    for number in range(40):
        status, answer = server.ask("POST", "/workflows", {
            "name": f"more {number}", "definition": {"executor": {"type": "echo"}}}, server.key)
        if not stage.expect(status == 201, f"{what}: it takes no command: {status} {answer}"):
            return
    stage.met["written on"] += 1


def damaged(stage, damage, times):
    filled(stage)
    good = set(log_lines(stage)[1])
    path, kept = data_file(stage), os.path.join(stage.top, "kept.mdb")
    shutil.copyfile(path, kept)
    for _ in range(times):
        look(stage, damage(path), good)
        # In place: the file stays the one it is.
        with open(kept, "rb") as source, open(path, "r+b") as target:
            shutil.copyfileobj(source, target)
            target.truncate()
    stage.check()


def truncated(stage):
    """the data file cut off at some place"""
    def cut(path):
        size = int(os.path.getsize(path) * stage.chance.uniform(0, 1))
        os.truncate(path, size)
        stage.met["cut off"] += 1
        return f"cut off at {size}"

    damaged(stage, cut, 5)
    return ["cut off", "found by check", "starts refused"]


def flipped(stage):
    """bits of the data file flipped, pages zeroed or written to the wrong place"""
    kinds = ["bit"] * 6 + ["page"] * 3 + ["swap"] * 3
    stage.chance.shuffle(kinds)

    def flip(path):
        size, kind = os.path.getsize(path), kinds.pop()
        with open(path, "r+b") as file:
            if kind == "bit":
                at = stage.chance.randrange(size)
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << stage.chance.randrange(8)]))
            else:
                at = stage.chance.randrange(size // 4096) * 4096
                page = bytes(4096)
                if kind == "swap":
                    other = stage.chance.choice([place for place in range(0, size - 4095, 4096) if place != at])
                    file.seek(other)
                    page = file.read(4096)
                file.seek(at)
                file.write(page)
        stage.met[f"{kind} of the file changed"] += 1
        return f"{kind} at {at}"

    damaged(stage, flip, len(kinds))
    return ["found by check"]


def swapped(stage):
    """an old copy in the place of the data: by its own inode, over the old one, with and without a checkpoint"""
    checkpoint = os.path.join(stage.top, "checkpoint.txt")
    filled(stage, "--checkpoint-file", checkpoint)
    path, old = data_file(stage), os.path.join(stage.top, "old.mdb")
    shutil.copyfile(path, old)
    stage.start()
    aside = stage.load.asker("later")
    aside.command("workflow_created", "POST", "/workflows", {
        "name": "later", "definition": {"executor": {"type": "echo"}}})
    stage.expect(stage.server.stop() == 0, "the second stop")
    new = os.path.join(stage.top, "new.mdb")
    os.rename(path, new)
    # A copy by its own inode: with the checkpoint refused, without it a copy that keeps no promises.
    shutil.copyfile(old, path)
    os.chmod(path, 0o600)
    refused(stage, "an old copy")
    stage.server.options = tuple(option for option in stage.server.options
                                 if option not in ("--checkpoint-file", checkpoint))
    if stage.try_start():
        status, answer = stage.server.ask("POST", f"/workflows/{stage.load.workflows[0]}/execute", {},
                                          stage.server.key)
        stage.expect(status == 503, f"an old copy takes commands: {status} {answer}")
        stage.met["known as a copy"] += status == 503
        stage.server.stop()
    else:
        stage.expect(False, f"an old copy is not served for reads: {stage.server.said()[-300:]}")
    os.remove(path)
    # The old bytes in the file itself: only the checkpoint can tell.
    os.rename(new, path)
    kept = os.path.join(stage.top, "kept.mdb")
    shutil.copyfile(path, kept)
    overwrite(old, path)
    stage.server.options += ("--checkpoint-file", checkpoint)
    refused(stage, "old bytes in the file")
    overwrite(kept, path)
    # The right one again, as if nothing had been.
    stage.start()
    stage.expect(stage.server.stop() == 0, "the last stop")
    stage.check()
    stage.judge()
    return ["refused by the checkpoint", "known as a copy"]


def overwrite(source, path):
    with open(source, "rb") as old, open(path, "r+b") as target:
        shutil.copyfileobj(old, target)
        target.truncate()


def refused(stage, what):
    if not stage.try_start():
        code = stage.server.process.returncode
        stage.expect(code == 73, f"{what}: ended with {code}: {stage.server.said()[-300:]}")
        stage.met["refused by the checkpoint"] += 1
    else:
        stage.expect(False, f"{what} was served in spite of the checkpoint")
        stage.server.stop()


def replaced(stage):
    """the data file replaced by an old copy, or removed, under the running server"""
    stage.begin()
    stage.run_for(1.5)
    path = data_file(stage)
    aside = os.path.join(stage.top, "aside.mdb")
    stage.down()
    removes = stage.chance.random() < 0.5
    if not removes:
        shutil.copyfile(path, aside)
    os.rename(path, path + ".gone")
    if not removes:
        os.rename(aside, path)
    stage.met["removed" if removes else "replaced"] += 1
    # What is confirmed from now on goes to a file that no start will find.
    try:
        code = stage.server.process.wait(75)
        stage.expect(code in (70, 73), f"it ended with {code}: {stage.server.said()[-300:]}")
        stage.met["noticed"] += 1
    except subprocess.TimeoutExpired:
        stage.expect(False, "after 75 s it still confirms what no start will find")
        stage.server.kill()
    if os.path.exists(path):
        os.remove(path)
    os.rename(path + ".gone", path)
    stage.start()
    stage.run_for(0.5)
    stage.finish()
    return ["noticed"]
