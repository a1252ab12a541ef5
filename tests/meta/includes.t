#!/bin/bash
# Includes point one way: cmd -> run -> {jobs, roots, fake} -> {image, net, cgroup, sandbox} -> job ->
# base; doctor stands beside run.
. "$(dirname "$0")/../helpers/lib.sh"

# what a room may include besides itself
allowed_of() {
    case $1 in
    cmd/bryo)
        echo "internal/run internal/doctor internal/jobs internal/roots internal/job internal/base"
        ;;
    cmd/bryo-unpack) echo "internal/image internal/job internal/base" ;;
    cmd/bryo-net) echo "net internal/job internal/base" ;;
    cmd/bryo-scope) echo "internal/cgroup internal/job internal/base" ;;
    cmd/bryo-seccomp) echo "internal/job internal/base" ;;
    internal/run)
        echo "internal/jobs internal/roots internal/fake internal/image net internal/cgroup" \
            "internal/sandbox internal/job internal/base"
        ;;
    internal/doctor) echo "internal/roots internal/sandbox net internal/job internal/base" ;;
    internal/jobs) echo "internal/roots internal/cgroup internal/job internal/base" ;;
    internal/roots) echo "internal/image internal/sandbox internal/job internal/base" ;;
    internal/fake) echo "internal/job internal/base" ;;
    internal/image | internal/cgroup | internal/sandbox | net) echo "internal/job internal/base" ;;
    internal/job) echo "internal/base" ;;
    internal/base) ;;
    *) return 1 ;;
    esac
}

# prints every include that points another way, and every room that has no line above
wrong_includes() {
    local room file path target
    (cd "$1" && find cmd internal net -name '*.[ch]' 2>/dev/null | sort) | while read -r file; do
        room=$(dirname "$file")
        allowed_of "$room" >/dev/null || {
            echo "$file: no such room"
            continue
        }
        while read -r path; do
            target=$(dirname "$path")
            case " $room $(allowed_of "$room") " in
            *" $target "*) ;;
            *) echo "$file includes $path" ;;
            esac
        done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\(.*\)".*/\1/p' "$1/$file")
    done
}

is "$(wrong_includes "$SRC")" "" "no include points the wrong way"

# The rule itself must be able to fail.
seed() { # FILE INCLUDED
    mkdir -p "$T/seed/$(dirname "$1")"
    printf '#include "%s"\n' "$2" >"$T/seed/$1"
}
seed internal/base/a.c internal/job/spec.h
seed internal/job/b.c internal/base/err.h
seed internal/image/c.c internal/sandbox/userns.h
seed internal/sandbox/d.h spec.h
seed cmd/bryo/e.c internal/image/store.h
seed internal/extra/f.c internal/base/err.h
is "$(wrong_includes "$T/seed" | cut -d: -f1 | cut -d' ' -f1 | sort | paste -sd ' ')" \
    "cmd/bryo/e.c internal/base/a.c internal/extra/f.c internal/image/c.c internal/sandbox/d.h" \
    "and five seeded ones are found, the right one beside them is not"
done_testing
