#!/usr/bin/env bash
# A second team, from its license to the log: 1,000 promises from a table, 40 of them moved off a holiday, one
# cancelled, one that waits explained, the key revoked; and each act found in the log with the name of who asked.
#
#     docs/examples/second-team.sh DATA_DIR
#
# wants `daybook` in the PATH and a server that serves DATA_DIR (at DAYBOOK_SERVER, where it is not
# http://127.0.0.1:8080). The administrator's key is the one in DATA_DIR.
set -euo pipefail
DATA_DIR=${1:?the data directory}
export TZ=Europe/Berlin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n# %s\n' "$*"; }
id() { grep -o '"id":"[0-9a-f]*"' | head -1 | cut -d'"' -f4; }
expect() { grep -q -- "$1" "$2" || { echo "expected \"$1\" in:" >&2; cat "$2" >&2; exit 1; }; }
admin() { daybook "$@" --data-dir "$DATA_DIR"; }
desk() { daybook "$@" --key "$desk_key"; }

say "a team with a license of 3, and a key for its front desk"
team=$(admin team create "clinic $$" --max-concurrent-runs 3 --json | id)
answer=$(admin key create front-desk --team "$team" --role write --json)
key_id=$(id <<<"$answer")
desk_key=$(grep -o '"key":"[^"]*"' <<<"$answer" | cut -d'"' -f4)
admin key list --team "$team"

say "1,000 promises from a table, 40 of them on a holiday"
desk workflow create reminder --definition '{"executor": {"type": "echo", "delay_ms": 60000}}' >"$work/workflow"
year=$(($(date +%Y) + 1))
{
    echo "scheduled_time,patient"
    for i in $(seq 1 40); do printf '%d-12-25 %02d:%02d,%d\n' "$year" $((8 + i / 4)) $((i % 4 * 15)) "$i"; done
    for i in $(seq 41 1000); do printf '%d-11-%02d 09:%02d,%d\n' "$year" $((1 + i % 28)) $((i % 60)) "$i"; done
} >"$work/reminders.csv"
desk schedule import reminder "$work/reminders.csv" --zone Europe/Berlin 2>&1 | tee "$work/import"
expect "1000 promised, 0 of them earlier, 0 refused" "$work/import"
desk schedule import reminder "$work/reminders.csv" --zone Europe/Berlin 2>&1 | tee "$work/again"
expect "1000 promised, 1000 of them earlier, 0 refused" "$work/again"

say "the 40 are moved by two days: first counted, then done"
holiday=(--workflow reminder --from "$year-12-25 00:00" --to "$year-12-26 00:00" --zone Europe/Berlin)
desk schedule modify "${holiday[@]}" --shift 2d --dry-run | tee "$work/dry"
expect "^40 would be changed" "$work/dry"
desk schedule modify "${holiday[@]}" --shift 2d --wait 60 | tee "$work/operation"
expect "^changed *40$" "$work/operation"
desk schedule modify "${holiday[@]}" --shift 2d --dry-run | tee "$work/dry"
expect "^0 would be changed" "$work/dry"

say "one is cancelled"
one=$(desk schedule list --workflow reminder --order scheduled_time --limit 1 --json 2>/dev/null | id)
desk schedule cancel "$one" >"$work/cancelled"
expect "^status *cancelled" "$work/cancelled"
desk schedule history "$one"

say "why does a fourth run wait?"
runs=()
for patient in 1 2 3 4; do
    runs+=("$(desk workflow execute reminder --input "{\"patient\": $patient}" --json | id)")
done
# The three before it are started within milliseconds.
for _ in $(seq 100); do
    desk run why "${runs[3]}" >"$work/why"
    if grep -q team_limit "$work/why"; then break; fi
    sleep 0.1
done
cat "$work/why"
expect "the team's limit of 3 is used up (3 in progress)" "$work/why"
expect "proved by entry" "$work/why"
for run in "${runs[@]}"; do desk run cancel "$run" >"$work/cancelled-run"; done

say "the key is revoked"
admin key revoke "$key_id"
code=0
desk schedule list 2>"$work/refused" || code=$?
cat "$work/refused"
if [ "$code" != 77 ]; then echo "a revoked key ended with $code" >&2; exit 1; fi

say "each of these acts, and who asked, in the log"
found() { # actor's name, command, words of it
    daybook log show --data-dir "$DATA_DIR" --actor key --command "$2" >"$work/log"
    expect "($1).*$3" "$work/log"
    grep -- "($1).*$3" "$work/log" | tail -1 | cut -c1-200
}
found "first admin key" create_team "$team"
found "first admin key" create_key "$key_id"
found "front-desk" create_workflow workflow
found "front-desk" create_schedule schedule
found "front-desk" start_operation 40
found "front-desk" cancel_schedule "$one"
found "front-desk" execute "${runs[3]}"
found "first admin key" revoke_key "$key_id"
count=$(daybook log show --data-dir "$DATA_DIR" --actor key --command create_schedule --team "$team" | wc -l)
if [ "$count" != 1000 ]; then echo "$count promises are in the log" >&2; exit 1; fi
