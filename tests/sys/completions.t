#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Completion of what exists only now, images and jobs, in the shells themselves: bash, zsh and fish.
. "$(dirname "$0")/../helpers/lib.sh"

# --- a machine with an image and a job ------------------------------------------------------------------
mkdir -m 700 "$T/rt" "$T/onpath" "$T/shells"
mkdir -p "$T/tree/etc"
ln -s "$BRYO" "$T/onpath/bryo"
export XDG_RUNTIME_DIR=$T/rt
PATH=$T/onpath:$PATH
tar -C "$T/tree" -cf "$T/one.tar" etc
"$BRYO" image import "$T/one.tar" >/dev/null || bail "no image could be made"
image=$("$BRYO" image ls -q)
id=$("$BRYO" run -d --no-workspace --network none --name webserver -- sleep 1000 2>"$T/why") || bail "no job: $(cat "$T/why")"
both=$(printf '%s\n' webserver "$id" | sort | paste -sd' ')
is "$("$BRYO" ps --names | sort | paste -sd' ')" "$both" "bryo ps --names: the name and the id of the job"
like "$image" '^[0-9a-f]{64}$' "bryo image ls -q: the image"
for shell in bash zsh fish; do
    "$BRYO" completion $shell >"$T/complete.$shell"
done
# The shells write folders of their own into what they take for home; the cache stays where the image is.
at_home() {
    HOME=$T/shells XDG_CONFIG_HOME=$T/shells XDG_DATA_HOME=$T/shells TERM=dumb timeout -s KILL 60 "$@"
}

# --- bash ------------------------------------------------------------------------------------------------
bash_offers() { # WORD...: for the last word, sorted
    # shellcheck disable=SC2016 # expanded there
    at_home bash --norc -c '. "$1"; shift
        compopt() { :; } # which only readline has
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _bryo_start
        printf "%s\n" "${COMPREPLY[@]}"' bash "$T/complete.bash" "$@" </dev/null 2>&1 | sort -u | paste -sd' '
}
is "$(bash_offers bryo stop '')" "$both" "bash: jobs, by name and by id"
is "$(bash_offers bryo logs "${id:0:6}")" "$id" "the beginning of an id"
is "$(bash_offers bryo exec web)" webserver "the job of exec"
like " $(bash_offers bryo exec webserver slee) " ' sleep ' "behind it, a command"
is "$(bash_offers bryo image rm '')" "$image" "images"
is "$(bash_offers bryo image rm x)" "" "and no others"

# --- fish ------------------------------------------------------------------------------------------------
if command -v fish >/dev/null; then
    fish_offers() { # LINE
        at_home fish --no-config -c "source $T/complete.fish; complete -C '$1'" </dev/null 2>&1 | cut -f1 | sort -u | paste -sd' '
    }
    is "$(fish_offers 'bryo stop ')" "$both" "fish: jobs, by name and by id"
    is "$(fish_offers "bryo logs ${id:0:6}")" "$id" "the beginning of an id"
    is "$(fish_offers 'bryo stop web')" webserver "the beginning of a name"
    is "$(fish_offers 'bryo image rm ')" "$image" "images"
else
    skip 4 "no fish"
fi

# --- zsh, which completes on a terminal only ---------------------------------------------------------------
if command -v zsh >/dev/null; then
    cat >"$T/type.py" <<'PY'
# SCRIPT LINE WORD...: types the line and a tab to a zsh that has read the script; waits for the words to
# be shown, and prints those that are. Time limits are only there to end what hangs.
import fcntl, os, pty, select, signal, struct, sys, termios, time

script, line, *words = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.execlp("zsh", "zsh", "-f", "-i")
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))


def see(wanted, seconds):
    text, end = "", time.monotonic() + seconds
    while time.monotonic() < end and not all(w in text for w in wanted):
        if select.select([fd], [], [], 0.2)[0]:
            try:
                text += os.read(fd, 65536).decode(errors="replace")
            except OSError:
                break
    return text


# the shell's echo of this shows re''ady
os.write(fd, f"PROMPT='> '; autoload -Uz compinit; compinit -u -D; source {script}; print re''ady\n".encode())
see(["ready"], 25)
os.write(fd, line.encode() + b"\t")
text = see(words, 15)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
print(*[w for w in words if w in text])
if not all(w in text for w in words):
    print(repr(text), file=sys.stderr)
PY
    zsh_shows() { # LINE WORD...: those of the words that are shown
        at_home python3 "$T/type.py" "$T/complete.zsh" "$@" </dev/null
    }
    is "$(zsh_shows 'bryo stop ' webserver "$id")" "webserver $id" "zsh: jobs, by name and by id"
    is "$(zsh_shows "bryo logs ${id:0:6}" "$id")" "$id" "the beginning of an id"
    is "$(zsh_shows 'bryo exec web' webserver)" webserver "the job of exec"
    is "$(zsh_shows 'bryo image rm ' "$image")" "$image" "images"
else
    skip 4 "no zsh"
fi
"$BRYO" rm -f webserver >/dev/null
"$BRYO" image rm "$image" >/dev/null
is "$(bash_offers bryo stop '') $(bash_offers bryo image rm '')" " " "what is gone is offered no more"
rm -rf "$T/rt" "$T/onpath" "$T/shells" "$T/tree" "$T/one.tar"
done_testing
