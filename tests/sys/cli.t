#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line: what is wrong is said in one line or two, with status 125, and leaves nothing;
# help, manual pages and completions know every option.
. "$(dirname "$0")/../helpers/lib.sh"

mkdir -p "$T/src" && : >"$T/src/file"
mkfifo "$T/src/fifo"
cd "$T/src" || exit 99

# refused REGEX DESCRIPTION ARG...: one or two lines that begin "bryo: ", the first of which matches;
# status 125, nothing on stdout, nothing made (not even the cache's folder)
refused() {
    local want=$1 what=$2 st=0 lines
    shift 2
    run "$BRYO" "$@" </dev/null
    lines=$(grep -c '' <"$T/.err")
    # shellcheck disable=SC2154 # run sets them
    [ "$status" = 125 ] && [ -z "$out" ] || st=1
    [ "$lines" -ge 1 ] && [ "$lines" -le 2 ] && ! grep -qv '^bryo: ' "$T/.err" || st=1
    [[ $(head -n 1 "$T/.err") =~ $want ]] || st=1
    [ ! -e "$XDG_CACHE_HOME" ] && [ "$(ls "$T/src")" = "$(printf 'fifo\nfile')" ] || st=1
    tap_result $st "$what" || diag "command: bryo $*" "status: $status" "stderr: $err" "wanted: $want" \
        "$(ls -R "$T/src" "$XDG_CACHE_HOME" 2>/dev/null)"
}

# --- verbs ----------------------------------------------------------------------------------------

refused 'no command given' "no verb"
refused 'no command given' "an empty verb" ''
refused 'has no command "rnu"' "an unknown verb" rnu
like "$err" 'did you mean run\?' "the nearest is named"
refused 'has no option "--versoin"' "an unknown option in front" --versoin
refused 'no command given' "image without a verb" image
refused 'bryo image has no command "list"' "an unknown verb of image" image list
refused 'needs an argument' "image rm of nothing" image rm
refused 'takes fewer arguments' "image ls with an argument" image ls x
refused 'takes fewer arguments' "image inspect with two" image inspect aaaa bbbb
refused 'is not one of table or json' "an unknown format" image ls --format yaml
refused 'is not a duration' "an age that is none" image prune --older-than 1y
refused 'has no command "imag"' "help for an unknown verb" help imag
refused 'needs one of bash' "completion without a shell" completion
refused 'needs one of bash' "completion for an unknown shell" completion ksh
refused 'takes no argument' "version with an argument" version x

# --- options of run -------------------------------------------------------------------------------

refused 'no command given' "run without a command" run
refused 'no command given' "run with options only" run --read-only --
refused 'empty word' "an empty command" run ''
refused 'has no option "--read-olny"' "an unknown option" run --read-olny true
like "$err" 'did you mean --read-only\?' "the nearest is named"
refused 'has no option "--privileged"' "an option that docker has" run --privileged true
refused 'has no option "-Z"' "an unknown letter" run -Z true
refused 'has no option "-Z"' "in a cluster" run -iZ true
refused '--rootfs needs a value' "a missing value" run --rootfs
refused '--env needs a value' "a missing value of a letter" run -i -e
refused '--read-only takes no value' "a value too many" run --read-only=yes true
refused '--rootfs: expected' "an empty rootfs" run --rootfs= true
refused '--rootfs: nope: No such file' "a rootfs that is not there" run --rootfs nope true
like "$err" 'not the name of an image' "and may be meant as the name of an image"
refused '--rootfs: fifo is neither' "a FIFO as rootfs" run --rootfs fifo true
refused '--userns: "both" is not one of auto, subids or single' "--userns" run --userns both true
refused '--uidmap: "0" is not an id map' "--uidmap" run --uidmap 0 true
refused '--gidmap: .* beyond id 4294967294' "--gidmap out of range" run --gidmap 0:4294967295 true
refused '--uidmap maps id 0 of the job twice' "--uidmap twice" run --uidmap 0:0 --uidmap 0:1 true
refused '--uidmap with ids of the machine' "--uidmap @ alone" run --uidmap 0:@1000 true
refused '--user: .*USER\[:GROUP\]' "--user" run -u a:b:c true
refused '--user: .* larger' "--user out of range" run -u 4294967295 true
refused '--network: "bridge" is not one of slirp, slirp:fast=off, none or host' "--network" run --net bridge true
refused '--hostname: "a_b" is not a host name' "--hostname" run -h a_b true
refused '--time-offset: "5" is not of the form' "--time-offset" run --time-offset 5 true
refused '--time-offset: .* too far' "--time-offset out of range" run --time-offset boottime=500000d true
refused '--volume: "data" would be a named volume' "-v with a volume's name" run -v data:/x true
refused '--volume: .* not of the form' "-v without a target" run -v /etc true
refused '--volume: .* not absolute' "-v with a relative target" run -v ./file:x true
refused '--volume: nothing can be mounted over "/"' "-v onto /" run -v .:/ true
refused '--volume: both ro and rw' "-v with ro and rw" run -v ./file:/x:ro,rw true
refused '--volume: unknown option "U"' "-v with an option that bryo has not" run -v ./file:/x:U true
refused "--volume: $T/src/nope: No such file" "-v of what is not there" run -v ./nope:/x true
refused 'two mounts are asked for at /x' "two mounts at one place" run -v ./file:/x --tmpfs /x/ true
refused '--tmpfs: size=0 is not a size' "--tmpfs without a limit" run --tmpfs /x:size=0 true
refused '--tmpfs: unknown option "suid"' "--tmpfs with suid" run --tmpfs /x:suid true
refused '--device: /etc/passwd is not a device' "--device" run --device /etc/passwd true
refused '--device: a device cannot be held to "r"' "--device with rights" run --device /dev/null:r true
refused '--workspace: .*: No such file' "--workspace that is not there" run --workspace nope true
refused '--workspace: .*: Not a directory' "--workspace that is a file" run --workspace file true
refused 'contradict each other' "--workspace and --no-workspace" run --workspace . --no-workspace true
refused 'contradict each other' "--rm and --keep" run --rm --keep true
refused 'contradict each other' "--reuse and --rootfs" run --reuse 12ab --rootfs host true
refused '--reuse: "../x" is not the id' "--reuse with a path" run --reuse ../x true
refused '--workdir: .* not absolute' "--workdir" run -w x true
refused '--env: "=x" names no variable' "--env without a name" run -e =x true
refused '--env: .* has a blank' "--env with a blank" run -e 'A = 1' true
refused '--env-file: reading nope: No such file' "--env-file that is not there" run --env-file nope true
refused '--env-file: reading \.: Is a directory' "--env-file that is a directory" run --env-file . true
refused '--env-file: /dev/fd/[0-9]+, line 2: ' "--env-file with a wrong line" \
    run --env-file <(printf 'A=1\nexport B=2\n') true
refused '--ulimit: there is no resource limit "files"' "--ulimit" run --ulimit files=1 true
refused '--ulimit: the soft limit .* above' "--ulimit upside down" run --ulimit nofile=2:1 true
refused '--umask: "9" is not octal' "--umask" run --umask 9 true
refused '--timeout: "5x" is not a duration' "--timeout" run --timeout 5x true
refused '--stall-timeout: "" is not a duration' "--stall-timeout" run --stall-timeout= true
refused '--grace: "-1" is not a duration' "--grace" run --grace -1 true
refused '--max-unpacked: "0" is not a size' "--max-unpacked" run --max-unpacked 0 true
refused '--max-entries: "0" is not a number' "--max-entries" run --max-entries 0 true
refused 'the input device is not a TTY' "-it without a terminal" run -it true
refused '--result: writing into /nonexistent/' "--result in no directory" run --result /nonexistent/r true
refused '--result: \.: Is a directory' "--result that is a directory" run --result . true
refused '--result: writing into /proc/' "--result where nothing can be made" run --result /proc/bryo true
refused '--result: /dev/fd/77: Bad file' "--result on a closed descriptor" run --result /dev/fd/77 true
refused '--result: /dev/stdin is not open for writing' "--result on a descriptor for reading" \
    run --result /dev/stdin true
run env -C "$T/src" bash -c 'mkdir gone && cd gone && rmdir ../gone && exec "$0" run true' "$BRYO"
is "$status" 125 "a current directory that is gone"
like "$err" '^bryo: the current directory: No such file' "is said"
refused 'line 1: the variable name .*\\x1b\[31m' "control characters of a value are escaped" \
    run --env-file <(printf '\033[31m x=1\n') true

# --- the report of what was refused ---------------------------------------------------------------

run "$BRYO" run --result "$T/result" --umask 9 true
is "$status" 125 "--result with a bad flag"
run jq -r '[.outcome, .exit_status, .started, .error.stage, .error.errno] | @csv' "$T/result"
is "$out" '"bryo-error",125,false,"usage","EINVAL"' "tells of it"
run jq -r .error.message "$T/result"
is "$out" '--umask: "9" is not octal, at most 777' "in the same words"
echo old >"$T/target" && chmod 600 "$T/target" && ln -s target "$T/link"
run "$BRYO" run --result "$T/link" --rootfs nope true
is "$(readlink "$T/link")" target "a link stays a link"
is "$(stat -c %a "$T/target")" 600 "the file it names keeps its mode"
is "$(jq -r .error.stage "$T/target")" usage "and has the report"
run bash -c '"$0" run --result /dev/fd/3 --rootfs nope true 3>&1 | jq -r .outcome' "$BRYO"
is "$out" bryo-error "--result /dev/fd/3"
expect_status 125 "--result to a FIFO that nobody reads does not hang" \
    timeout -s KILL 20 "$BRYO" run --result "$T/src/fifo" --rootfs nope true
like "$err" 'nobody reads from' "and says so"
exec 4<>"$T/src/fifo"
run "$BRYO" run --result "$T/src/fifo" --rootfs nope true
read -r -t 5 -u 4 line
exec 4>&-
is "$(jq -r .outcome <<<"$line")" bryo-error "one that is read"
run bash -c 'umask 077; exec "$0" run --result "$1" --rootfs nope true' "$BRYO" "$T/new"
is "$(stat -c %a "$T/new")" 600 "a new file has the modes that the umask leaves"
is "$(find "$T" -maxdepth 1 -name '.bryo*' | wc -l)" 0 "no temporary file is left"

# --- help -----------------------------------------------------------------------------------------

verbs=("" run image "image ls" "image rm" "image prune" "image inspect" "image import" "image verify"
    "image repack" shell exec ps logs attach stats stop kill wait pause unpause inspect rm diff commit clean plot doctor help version completion)
is "$(for v in "${verbs[@]}"; do echo "$v"; done | grep -v -e ' ' | sort | paste -sd' ')" \
    " $("$BRYO" help --list | sort | paste -sd' ')" "these are the commands"
for v in "${verbs[@]}"; do
    # shellcheck disable=SC2086 # two words
    run_ok "bryo $v --help" "$BRYO" $v --help
    like "$out" "^Usage: bryo" "begins with the usage"
    is "$err" "" "and says nothing on stderr"
    is "$(awk 'length > 79' "$T/.out")" "" "in less than 80 columns"
done
run "$BRYO" --help
[ "$(grep -c '' "$T/.out")" -le 23 ]
tap_result $? "the overview fits a screen of 24 lines, with the prompt"
is "$(awk '/^  / { print $1; if (length > 41) { split(substr($0, 42), w, " "); print w[1] } }' "$T/.out" | sort | paste -sd' ')" \
    "$("$BRYO" help --list | sort | paste -sd' ')" "and has every command"
groups=$("$BRYO" run --help | sed -n '1,/^Exit status/s/^\([A-Z].*\):$/\1/p' | grep -v 'Exit status')
while read -r group; do
    ok "it names the group $group of the options of a job" grep -qF "$group" <<<"${out//$'\n'/ }"
done <<<"$groups"
ok "there are such groups" test "$(wc -l <<<"$groups")" -gt 5
for v in image run; do
    is "$("$BRYO" help "$v")" "$("$BRYO" $v --help)" "bryo help $v is bryo $v --help"
done
is "$("$BRYO" version)" "$("$BRYO" --version)" "two ways to the version"
like "$("$BRYO" version)" '^bryo [0-9]+\.[0-9]+\.[0-9]+$' "which is a version"

# Every long option of --help, as the one list that the others are held against.
options_of() {
    # shellcheck disable=SC2086 # two words
    "$BRYO" $1 --help | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p'
}

run_options=$(options_of run)
[ "$(wc -w <<<"$run_options")" -ge 30 ]
tap_result $? "the list of options is read from --help"

missing_from() { # TEXT: the options of run that it does not have
    local o
    for o in $run_options; do
        grep -qF -e "$o" <<<"$1" || echo "$o"
    done
}

# --- manual pages ---------------------------------------------------------------------------------

if command -v mandoc >/dev/null; then
    for v in "${verbs[@]}"; do
        # shellcheck disable=SC2086 # two words
        "$BRYO" help --man $v >"$T/page.1"
        is "$(mandoc -Tlint "$T/page.1" 2>&1)" "" "the manual page of bryo $v has no fault"
        like "$(mandoc -Tascii "$T/page.1" | col -b)" "bryo${v:+ $v}.*DESCRIPTION" "and can be read"
    done
    is "$(mandoc -Tlint "$SRC/ci/bryo.mk.5" 2>&1)" "" "nor has that of bryo.mk"
    is "$(missing_from "$("$BRYO" help --man run | mandoc -Tascii | col -b)")" "" \
        "that of bryo run has every option"
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' ENVIRONMENT EXAMPLES 'SEE ALSO'; do
        ok "and a section $section" grep -qx "\.SH $section" <("$BRYO" help --man run)
    done
else
    skip $((10 + 2 * ${#verbs[@]})) "no mandoc"
fi

# --- completions ----------------------------------------------------------------------------------

# The shells write folders of their own into what they take for home.
shell_home() {
    env HOME="$T/shells" XDG_CACHE_HOME="$T/shells" XDG_CONFIG_HOME="$T/shells" XDG_DATA_HOME="$T/shells" "$@"
}
mkdir "$T/shells"

for shell in bash zsh fish; do
    "$BRYO" completion $shell >"$T/complete.$shell"
    # An escaped "-" does not occur; fish has "-l name".
    is "$(missing_from "$(sed 's/-l \([a-z]\)/--\1/' "$T/complete.$shell")")" "" \
        "completion for $shell has every option"
    if command -v $shell >/dev/null; then
        run_ok "and is a $shell script" shell_home $shell -n "$T/complete.$shell"
        is "$err" "" "without a complaint"
    else
        skip 2 "no $shell"
    fi
done

# complete WORD...: what bash offers for the last word
complete_bash() {
    bash --norc -c '. "$1"; shift
        compopt() { :; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _bryo_start
        printf "%s\n" "${COMPREPLY[@]}"' bash "$T/complete.bash" "$@" 2>&1 | sort | paste -sd' '
}
is "$(complete_bash bryo '')" "--help attach clean commit completion diff doctor exec help image inspect kill logs pause plot ps rm run shell stats stop unpause version wait" "verbs"
is "$(complete_bash bryo im)" "image" "the beginning of one"
is "$(complete_bash bryo image '')" "--help import inspect ls prune repack rm verify" "verbs of image"
is "$(complete_bash bryo run --rea)" "--read-only" "an option"
is "$(complete_bash bryo run --userns '')" "auto single subids" "values"
is "$(complete_bash bryo run --userns = s)" "single subids" "values behind ="
is "$(complete_bash bryo run --env-file 'fi')" "fifo file" "files"
is "$(complete_bash bryo run --rm cat 'fi')" "fifo file" "files for the command"
is "$(complete_bash bryo run -e A cat --rea)" "" "no options of bryo behind the command"
is "$(complete_bash bryo run -e cat --rea)" "--read-only" "a value is not the command"
is "$(complete_bash bryo completion '')" "bash fish zsh" "shells"
is "$(complete_bash bryo help ru)" "run" "verbs for help"
if command -v fish >/dev/null; then
    complete_fish() {
        shell_home fish --no-config -c "source $T/complete.fish; complete -C '$1'" 2>&1 |
            cut -f1 | sort | paste -sd' '
    }
    is "$(complete_fish 'bryo ')" "attach clean commit completion diff doctor exec help image inspect kill logs pause plot ps rm run shell stats stop unpause version wait" "fish: verbs"
    is "$(complete_fish 'bryo image i')" "import inspect" "fish: verbs of image"
    is "$(complete_fish 'bryo run --rea')" "--read-only" "fish: an option"
    is "$(complete_fish 'bryo run --userns s')" "single subids" "fish: values"
else
    skip 4 "no fish"
fi

done_testing
